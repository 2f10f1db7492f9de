//! Why there is no credential. No secret and nothing that a helper printed is in any of it.

use std::io;
use std::path::PathBuf;

use super::kuberc;
use crate::message::Explain;

/// Why a user cannot be known by anything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that the kubeconfig has, or names, is not what it should be.
    #[error("{what} of user `{user}`: {why}")]
    Entry {
        /// e.g. `the client certificate`.
        what: &'static str,
        /// The user's name in the kubeconfig.
        user: String,
        /// What is wrong with it.
        why: String,
        /// What helps with just this.
        hint: Option<&'static str>,
    },
    /// Two ways to be known by one header.
    #[error(
        "the credentials of user `{user}`: more than one authentication method: a token and a username or password"
    )]
    Methods {
        /// The user's name in the kubeconfig.
        user: String,
    },
    /// A credential plugin did not say who asks.
    #[error("the credential plugin `{command}` of user `{user}`: {fault}")]
    Plugin {
        /// What the kubeconfig says is to be run.
        command: String,
        /// The user's name in the kubeconfig.
        user: String,
        /// What went wrong.
        fault: Box<Fault>,
    },
    /// An auth-provider that was taken out of client-go.
    #[error("the auth-provider `{name}` of user `{user}`: {why}")]
    Provider {
        /// The program's name.
        name: String,
        /// The user's name in the kubeconfig.
        user: String,
        /// What is wrong with it.
        why: String,
        /// What helps.
        hint: Option<String>,
    },
}

/// What may go wrong with a credential plugin.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is no such program.
    #[error("there is no such program")]
    Missing {
        /// What the kubeconfig says of how to get it, in one line.
        hint: Option<String>,
    },
    /// It is a file, and no program.
    #[error("it is not executable")]
    NotExecutable,
    /// It could not be started, or listened to.
    #[error("it cannot be run: {0}")]
    Run(io::Error),
    /// It ended with another code than 0.
    #[error("it failed with exit code {0}")]
    Code(i32),
    /// A signal ended it.
    #[error("it was ended by a signal")]
    Killed,
    /// kwasm did not wait for its end.
    #[error("kwasm ended before it did")]
    Unfinished,
    /// It prints without end.
    #[error("it printed more than 1 MiB")]
    TooMuch,
    /// What it printed is no credential.
    #[error("{0}")]
    Answer(String),
    /// It wants a terminal, and there is none.
    #[error("it has to ask you something (interactiveMode: Always), and standard input is not a terminal")]
    NoTerminal,
    /// The certificate that it said is none.
    #[error("{what} that it printed: {why}")]
    Certificate {
        /// `the client certificate` or `the client key`.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// What it is to be told of the cluster cannot be read.
    #[error("the certificate authority to pass to it: {0}")]
    Authority(String),
    /// The user allows it not.
    #[error("{file} does not allow it: {why}", file = file.display())]
    Denied {
        /// The kuberc file.
        file: PathBuf,
        /// By which of its rules.
        why: String,
    },
    /// Whether the user allows it cannot be read.
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

/// What is wrong with what the user of this name has.
pub(super) fn wrong(user: &str, what: &'static str, why: impl Into<String>) -> Error {
    Error::Entry { what, user: user.to_owned(), why: why.into(), hint: None }
}
