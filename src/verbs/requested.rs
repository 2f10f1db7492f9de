//! The request of a component as `kwasm inspect` shows it.

use serde::Serialize;

use crate::document::Fault;
use crate::inspect::{LONGEST_REQUEST, RequestError};
use crate::message::chain;
use crate::policy::Policy;

use super::Error;
use super::policy::read_request;

/// A request, valid or not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Requested {
    /// The text of the policy; `None` if it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Whether the text is a policy. A component whose request is not one is neither installed nor run.
    valid: bool,
    /// The reasons why it is not one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    /// Whether it is only its publisher's claim, because the component was not downloaded.
    declared: bool,
    #[serde(skip)]
    policy: Result<Policy, Vec<Fault>>,
}

impl Requested {
    /// Reads the request in a component. `of` is the name of that in messages.
    pub(super) fn embedded(of: &str, text: Result<String, RequestError>) -> Self {
        match text {
            Ok(text) => Self::of(read_request(of, &text), text, false),
            // It is an error of the component.
            Err(error) => Self {
                text: None,
                valid: false,
                faults: vec![chain(&error)],
                declared: false,
                policy: Err(Vec::new()),
            },
        }
    }

    /// Reads the request that a publisher states. `of` is the name of the artifact.
    pub(super) fn declared(of: &str, text: &str) -> Self {
        let policy = if text.len() > LONGEST_REQUEST {
            let what = format!("it has {} bytes, of at most {LONGEST_REQUEST}", text.len());
            Err(vec![Fault::whole(
                format!("the request of {of}"),
                what,
                "ask its publisher for a shorter one",
            )])
        } else {
            read_request(of, text)
        };
        Self::of(policy, text.to_owned(), true)
    }

    fn of(policy: Result<Policy, Vec<Fault>>, text: String, declared: bool) -> Self {
        let faults = match &policy {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(ToString::to_string).collect(),
        };
        Self { text: Some(text), valid: policy.is_ok(), faults, declared, policy }
    }

    /// Returns the error of a request that is not a valid policy.
    pub(super) fn error(&self) -> Option<Error> {
        let faults = self.policy.as_ref().err().filter(|faults| !faults.is_empty())?;
        Some(Error::Request(faults.clone()))
    }

    /// Returns the request in lines, one for each rule.
    pub(super) fn lines(&self) -> Vec<String> {
        match &self.policy {
            Ok(policy) => policy.lines(),
            Err(_) => vec!["not a valid policy".to_owned()],
        }
    }
}
