//! The surroundings that the checks look at, and what each of them finds.

use std::path::Path;

use serde::Serialize;

use crate::cluster::{self, Flags, Kubeconfig};
use crate::environment::Environment;
use crate::message::{Explain, Message};
use crate::platform::shell::word;
use crate::reference::PluginName;
use crate::store::{self, Receipt, Store};

/// The result of one check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Check {
    pub(super) name: &'static str,
    /// The finding, if there is no problem.
    pub(super) found: String,
    pub(super) problems: Vec<Problem>,
}

/// A problem.
#[derive(Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem {
    /// The subject of the problem, e.g. a file.
    pub(super) what: String,
    /// The reason why it is a problem.
    pub(super) why: String,
    /// A command that solves it.
    pub(super) cure: String,
}

/// The state that the checks look at.
pub(super) struct Patient<'a> {
    pub(super) store: &'a Store,
    pub(super) environment: &'a Environment,
    /// The flags that select a cluster.
    pub(super) flags: Flags,
    /// The kubeconfig, which is read once since it may come through a pipe.
    pub(super) kubeconfig: Result<Kubeconfig, cluster::Error>,
    /// The plugins whose receipts can be read.
    pub(super) plugins: Vec<Receipt>,
    /// The plugins whose receipts cannot be read.
    pub(super) broken: Vec<(PluginName, store::Error)>,
    /// The reason why the changes of a killed process cannot be repaired.
    pub(super) unsettled: Option<store::Error>,
}

impl Check {
    pub(super) fn row(&self) -> [String; 2] {
        let found = match self.problems.len() {
            0 => self.found.clone(),
            1 => "1 problem".to_owned(),
            several => format!("{several} problems"),
        };
        [self.name.to_owned(), found]
    }
}

impl Problem {
    pub(super) fn new(what: impl Into<String>, why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), cure: cure.into() }
    }

    /// Returns a problem of a file or folder.
    pub(super) fn at(path: &Path, why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(path.display().to_string(), why, cure)
    }

    /// Returns the problem that an error describes. `what` is its subject if it has none of its own.
    pub(super) fn of(what: &str, error: &impl Explain, cure: impl Into<String>) -> Self {
        Self::new(error.subject().unwrap_or_else(|| what.to_owned()), error.reason(), cure)
    }

    pub(super) fn message(&self) -> Message {
        Message::hinted(format!("{}: {}", self.what, self.why), &self.cure)
    }
}

/// Returns the command that installs a plugin again.
pub(super) fn reinstall(receipt: &Receipt) -> String {
    format!("kwasm install {} --as {}", word(&receipt.source), receipt.name)
}

/// Returns a count with its noun: `1 plugin`, `2 plugins`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_problem_with_its_reason() {
        let source = std::io::Error::other("gone");
        let error = store::Error::Io { path: "/x".into(), what: "it cannot be read", source };
        assert_eq!(Problem::of("w", &error, "c"), Problem::new("/x", "it cannot be read: gone", "c"));
        let error = store::Error::Unknown("x".parse().unwrap());
        assert_eq!(Problem::of("w", &error, "c"), Problem::new("w", "no plugin `x` is installed", "c"));
        // What looks like the end of a name is a part of it.
        let source = std::io::Error::other("gone");
        let error = store::Error::Io { path: "/a: b".into(), what: "it cannot be read", source };
        assert_eq!(Problem::of("w", &error, "c"), Problem::new("/a: b", "it cannot be read: gone", "c"));
    }
}
