//! What a partial answer lacks.

use crate::Failure;
use kube_guest::Error;
use std::fmt::Display;

/// The resources of which a plugin could not read the objects, while it goes on with the others.
#[derive(Debug, Default)]
pub struct Missing {
    forbidden: Vec<String>,
    denied: Vec<String>,
    others: Vec<String>,
}

impl Missing {
    /// Adds a resource, such as `secrets`, with the reason why its objects are missing. One that the server no longer has, since it
    /// was removed after discovery, has none.
    pub fn add(&mut self, what: impl Display, error: &Error) {
        match error {
            Error::Status(status) if status.code == 404 => {}
            Error::Status(status) if status.is_denied() => self.denied.push(what.to_string()),
            Error::Status(status) if status.code == 403 => self.forbidden.push(what.to_string()),
            error => self.others.push(format!("{what}: {error}")),
        }
    }

    /// Adds what else is missing, `what: why`, such as an API group that could not be discovered.
    pub fn add_line(&mut self, line: impl Into<String>) {
        self.others.push(line.into());
    }

    /// Returns whether nothing is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forbidden.is_empty() && self.denied.is_empty() && self.others.is_empty()
    }

    /// Says on standard error what is missing, in a line for each reason, once the rest is printed.
    ///
    /// # Errors
    ///
    /// [`Failure::Code`] 1 if anything is.
    pub fn report(&self, plugin: &str) -> Result<(), Failure> {
        for line in self.lines() {
            eprintln!("{plugin}: {line}");
        }
        if self.is_empty() { Ok(()) } else { Err(Failure::Code(1)) }
    }

    fn lines(&self) -> Vec<String> {
        let grouped = [
            (&self.forbidden, "the cluster's RBAC does not let your user list them"),
            (&self.denied, "the plugin's policy does not let it list them"),
        ];
        let grouped = grouped.into_iter().filter(|(names, _)| !names.is_empty());
        let grouped = grouped.map(|(names, why)| format!("{}: not shown, {why}", names.join(", ")));
        grouped.chain(self.others.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube_guest::Status;

    fn status(code: u16, message: &str) -> Error {
        Status { code, message: message.to_owned(), reason: String::new() }.into()
    }

    #[test]
    fn what_is_missing_for_the_same_reason_shares_a_line() {
        let mut missing = Missing::default();
        missing.add("secrets", &status(403, "secrets is forbidden"));
        missing.add("nodes", &status(403, "nodes is forbidden"));
        missing.add("pods", &status(403, "refused by kwasm: no rule"));
        missing.add("jobs.batch", &status(500, "etcd\x1b is gone"));
        missing.add("parcels.example.com", &status(404, "the server could not find the requested resource"));
        missing.add_line("API group `a`: gone");
        let expected = [
            "secrets, nodes: not shown, the cluster's RBAC does not let your user list them",
            "pods: not shown, the plugin's policy does not let it list them",
            "jobs.batch: the server answered 500: etcd\\x1b is gone",
            "API group `a`: gone",
        ];
        assert_eq!(missing.lines(), expected);
        assert!(matches!(missing.report("test"), Err(Failure::Code(1))));
    }

    #[test]
    fn a_whole_answer_lacks_nothing() {
        assert!(Missing::default().is_empty());
        assert!(Missing::default().report("test").is_ok());
    }
}
