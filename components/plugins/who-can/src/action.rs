//! What somebody is to be allowed.

use crate::SUBRESOURCE;
use plugin_kit::{Arguments, Failure};
use std::fmt;

/// The verbs that are proposed; any other may be typed.
pub(crate) const VERBS: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Verbs that roles know, and that no resource of the API server has.
pub(crate) const VERBS_OF_ROLES: &[&str] =
    &["approve", "attest", "bind", "escalate", "impersonate", "sign", "use"];

/// An action: what is done, and with what.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Action {
    pub(crate) verb: String,
    pub(crate) target: Target,
}

/// With what it is done.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// A path that is no resource, such as `/healthz`.
    Path(String),
    /// A resource as it was typed; of an empty name all objects are meant.
    Resource { noun: String, name: String, subresource: Option<String> },
}

impl Action {
    /// Reads it from the command line.
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let [verb, what] = arguments.exactly(["VERB", "TYPE"])?;
        let subresource = arguments.value(&SUBRESOURCE).filter(|name| !name.is_empty());
        let target = if what.starts_with('/') {
            if subresource.is_some() {
                return Err(Failure::usage(format!("--subresource: {what} is no resource")));
            }
            Target::Path(what.to_owned())
        } else {
            let (noun, name) = what.split_once('/').unwrap_or((what, ""));
            Target::Resource {
                noun: noun.to_owned(),
                name: name.to_owned(),
                subresource: subresource.map(str::to_owned),
            }
        };
        Ok(Self { verb: verb.to_owned(), target })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Path(path) => write!(f, "{} {path}", self.verb),
            Target::Resource { noun, name, .. } if name.is_empty() => write!(f, "{} {noun}", self.verb),
            Target::Resource { noun, name, .. } => write!(f, "{} {noun}/{name}", self.verb),
        }
    }
}
