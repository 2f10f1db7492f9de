//! Errors of credentials. They contain no secrets, and nothing that a helper printed.

use std::io;
use std::path::PathBuf;

use super::kuberc;
use crate::message::Explain;

/// The reason why there are no credentials for a user.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An entry of the kubeconfig, or a file that it names, is not valid.
    #[error("{what} of user `{user}`: {why}")]
    Entry {
        /// The part, e.g. `the client certificate`.
        what: &'static str,
        /// The user's name in the kubeconfig.
        user: String,
        /// The reason.
        why: String,
        /// A hint for this particular error.
        hint: Option<&'static str>,
    },
    /// Two authentication methods for the same header.
    #[error(
        "the credentials of user `{user}`: more than one authentication method: a token and a username or password"
    )]
    Methods {
        /// The user's name in the kubeconfig.
        user: String,
    },
    /// A credential plugin failed.
    #[error("the credential plugin `{command}` of user `{user}`: {fault}")]
    Plugin {
        /// The command in the kubeconfig.
        command: String,
        /// The user's name in the kubeconfig.
        user: String,
        /// The reason.
        fault: Box<Fault>,
    },
    /// An auth-provider that was removed from client-go.
    #[error("the auth-provider `{name}` of user `{user}`: {why}")]
    Provider {
        /// The program's name.
        name: String,
        /// The user's name in the kubeconfig.
        user: String,
        /// The reason.
        why: String,
        /// A hint.
        hint: Option<String>,
    },
}

/// The failures of a credential plugin.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The program does not exist.
    #[error("there is no such program")]
    Missing {
        /// The kubeconfig's hint about how to install it, in one line.
        hint: Option<String>,
    },
    /// The file is not executable.
    #[error("it is not executable")]
    NotExecutable,
    /// The program could not be started, or its output could not be read.
    #[error("it cannot be run: {0}")]
    Run(io::Error),
    /// The program exited with another code than 0.
    #[error("it failed with exit code {0}")]
    Code(i32),
    /// The program was ended by a signal.
    #[error("it was ended by a signal")]
    Killed,
    /// The run ended before the program did.
    #[error("kwasm ended before it did")]
    Unfinished,
    /// The output exceeds the limit.
    #[error("it printed more than 1 MiB")]
    TooMuch,
    /// The output is not a credential.
    #[error("{0}")]
    Answer(String),
    /// The program requires a terminal, and there is none.
    #[error("it has to ask you something (interactiveMode: Always), and standard input is not a terminal")]
    NoTerminal,
    /// The certificate in its output is not valid.
    #[error("{what} that it printed: {why}")]
    Certificate {
        /// `the client certificate` or `the client key`.
        what: &'static str,
        /// The reason.
        why: String,
    },
    /// The cluster's information for it cannot be read.
    #[error("the certificate authority to pass to it: {0}")]
    Authority(String),
    /// The user's preferences do not allow it.
    #[error("{file} does not allow it: {why}", file = file.display())]
    Denied {
        /// The kuberc file.
        file: PathBuf,
        /// The rule that does not allow it.
        why: String,
    },
    /// The user's preferences cannot be read.
    #[error(transparent)]
    Kuberc(kuberc::Error),
}

impl Explain for Error {
    fn subject(&self) -> Option<String> {
        Some(match self {
            Self::Entry { what, user, .. } => format!("{what} of user `{user}`"),
            Self::Methods { user } => format!("the credentials of user `{user}`"),
            Self::Plugin { command, user, .. } => {
                format!("the credential plugin `{command}` of user `{user}`")
            }
            Self::Provider { name, user, .. } => format!("the auth-provider `{name}` of user `{user}`"),
        })
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Plugin { fault, command, .. } => match fault.as_ref() {
                Fault::Missing { hint: Some(hint) } => Some(hint.clone()),
                Fault::Missing { hint: None } => Some(format!("install {command}, or put it on PATH")),
                Fault::NotExecutable => Some(format!("chmod +x {command}")),
                Fault::Kuberc(kuberc::Error::File { path, .. } | kuberc::Error::Broken { path, .. }) => {
                    Some(format!("fix {}, or move it away; KUBERC names another", path.display()))
                }
                Fault::Code(_) | Fault::Killed | Fault::Answer(_) => {
                    Some("run it by hand to see what it needs; often you have to log in again".to_owned())
                }
                Fault::NoTerminal => Some("run it at a terminal, or log in by kubectl first".to_owned()),
                Fault::Denied { .. } => Some(
                    "credentialPluginPolicy and credentialPluginAllowlist there say what may be run"
                        .to_owned(),
                ),
                _ => None,
            },
            Self::Provider { hint, .. } => hint.clone(),
            Self::Entry { hint: Some(hint), .. } => Some((*hint).to_owned()),
            Self::Entry { .. } => Some(
                "log in again with the tool that created this kubeconfig, or correct this user in it"
                    .to_owned(),
            ),
            Self::Methods { .. } => Some("remove one of them from this user in the kubeconfig".to_owned()),
        }
    }
}

/// Returns an error about a part of this user's credentials.
pub(super) fn wrong(user: &str, what: &'static str, why: impl Into<String>) -> Error {
    Error::Entry { what, user: user.to_owned(), why: why.into(), hint: None }
}
