//! The errors of commands.

use kube::config::KubeconfigError;
use kube_guest::for_terminal_line;
use std::borrow::Cow;
use std::io;

/// Each is one line; [`Error::shown`] makes it fit for a terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An upgraded connection broke, in the words of kube-rs, whose types for it have no public names.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// A process in a pod ended with this code.
    #[error("exit code {0}")]
    Exited(u8),
    /// kube-rs could not do it. Of a `Status` its message is what people read; kube-rs shows its fields too.
    #[error("{}", words(.0))]
    Kube(#[from] kube::Error),
    /// The kubeconfig names no server.
    #[error("kubeconfig: {0}")]
    Kubeconfig(#[from] KubeconfigError),
    /// The environment names no kubeconfig.
    #[error("`KUBECONFIG` is not set")]
    NoKubeconfig,
    /// The door is wasi:http.
    #[error("{0}: wasi:http carries no upgrades")]
    NoUpgrades(&'static str),
    /// Standard output takes no more.
    #[error("standard output: {0}")]
    Output(#[source] io::Error),
    /// The port of the pod, in the words of its node.
    #[error("port {0}: {1}")]
    Port(u16, String),
    /// The node's report of a process that ended abnormally.
    #[error("{0}")]
    Process(String),
    /// An answer broke off.
    #[error("the answer broke off: {0}")]
    Read(#[source] io::Error),
    /// The runtime cannot be created.
    #[error("runtime: {0}")]
    Runtime(#[source] io::Error),
    /// Standard input broke.
    #[error("standard input: {0}")]
    Stdin(#[source] io::Error),
    /// Not called as it should be.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// Returns the error on one line, whatever the server wrote into it.
    pub(crate) fn shown(&self) -> String {
        for_terminal_line(&self.to_string()).into_owned()
    }
}

/// Returns kube-rs' message, with the additions of its causes.
fn words(error: &kube::Error) -> Cow<'_, str> {
    if let kube::Error::Api(status) = error
        && !status.message.is_empty()
    {
        return Cow::Borrowed(&status.message);
    }
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        // Most of its messages hold their cause's already.
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    Cow::Owned(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    #[test]
    fn a_status_is_told_by_its_message_alone() {
        let status = Status::failure("configmaps \"a\" not found", "NotFound").with_code(404);
        let error = Error::from(kube::Error::Api(status.boxed()));
        assert_eq!(error.shown(), "configmaps \"a\" not found");
    }

    #[test]
    fn a_cause_is_told_once() {
        let service = |text: &str| Error::from(kube::Error::Service(text.to_owned().into())).shown();
        assert_eq!(service("no\nroute"), "ServiceError: no\\nroute");
    }
}
