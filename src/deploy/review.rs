//! What a webhook reviews.

use std::str::FromStr;

use super::certificate::Certificate;
use crate::message::Explain;

/// What a webhook reviews.
#[derive(Clone, Debug)]
pub struct Review {
    /// Whether it may change objects.
    pub mutates: bool,
    /// The resources.
    pub resources: Vec<Resource>,
    /// The operations.
    pub operations: Vec<Operation>,
    /// What becomes of a request that was not reviewed.
    pub failure_policy: FailurePolicy,
    /// The seconds that the API server waits.
    pub timeout: u8,
    /// The certificate of its server.
    pub certificate: Certificate,
}

/// A resource of the API: `RESOURCE[/SUBRESOURCE][.GROUP]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    pub(super) group: String,
    pub(super) resource: String,
}

/// The reason why a text names no resource.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a resource")]
pub struct ResourceError(String);

impl Explain for ResourceError {
    fn hint(&self) -> Option<String> {
        Some("name one as kubectl does: pods, deployments.apps, pods/ephemeralcontainers".to_owned())
    }
}

impl FromStr for Resource {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Self, ResourceError> {
        let (resource, group) = text.split_once('.').unwrap_or((text, ""));
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-*".contains(&byte))
        };
        let parts: Vec<&str> = resource.split('/').collect();
        let is_resource = parts.len() <= 2 && parts.iter().all(|part| is_word(part));
        let is_group =
            group.is_empty() && !text.contains('.') || !group.is_empty() && group.split('.').all(is_word);
        if is_resource && is_group {
            Ok(Self { group: group.to_owned(), resource: resource.to_owned() })
        } else {
            Err(ResourceError(text.to_owned()))
        }
    }
}

/// An operation of the API on objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Creating an object.
    Create,
    /// Changing one.
    Update,
    /// Deleting one.
    Delete,
    /// Connecting to one, e.g. `exec`.
    Connect,
}

/// What becomes of a request that was not reviewed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailurePolicy {
    /// It fails.
    Fail,
    /// It is admitted.
    Ignore,
}

impl Operation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}
