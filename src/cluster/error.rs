//! Errors of kubeconfigs.

use std::io;
use std::path::PathBuf;

use super::credentials;
use crate::message::Explain;
use crate::proxy;

/// The reason why a kubeconfig leads to no cluster. Never contains a credential.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that `--kubeconfig` names does not exist.
    #[error("{}: there is no such kubeconfig", .0.display())]
    Missing(PathBuf),
    /// A file cannot be read.
    #[error("{}: it cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file is not a valid kubeconfig. Its contents are not shown, since they may be secret.
    #[error("{}:{line}: it is not a valid kubeconfig: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The reason.
        reason: String,
    },
    /// A name has no entry.
    #[error("the kubeconfig has no {kind} `{name}`")]
    Unknown {
        /// `context`, `cluster` or `user`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The existing names.
        known: Vec<String>,
    },
    /// A context without a cluster.
    #[error("the context `{0}` names no cluster")]
    NoCluster(String),
    /// A cluster without a server.
    #[error("the cluster `{0}` has no server")]
    NoServer(String),
    /// Not a valid name of a namespace.
    #[error("`{0}` is not a valid namespace name")]
    Namespace(String),
    /// Not a valid address of a server.
    #[error(
        "the server of cluster `{0}` is not the address of an API server (https://HOST:PORT, optionally with a path)"
    )]
    Server(String),
    /// Groups, a UID or extras without a user to impersonate.
    #[error("user `{0}` impersonates a uid, groups or extra values without a user name (as)")]
    ImpersonatesNobody(String),
    /// A name that is not valid in a header.
    #[error("the identity that user `{0}` impersonates has characters that no header may have")]
    Unsendable(String),
    /// An invalid value for a boolean flag.
    #[error("the flag {flag}: `{value}` is neither true nor false")]
    Truth {
        /// The flag.
        flag: &'static str,
        /// The value.
        value: String,
    },
    /// An invalid duration.
    #[error("the flag --request-timeout: `{0}` is not a duration")]
    Timeout(String),
    /// A server's address with credentials, which must not be shown.
    #[error("the server of cluster `{0}` has a user in its address, which is not sent")]
    ServerUser(String),
    /// There are no credentials.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// A proxy that cannot be used. Its address is not shown, since it may contain a password.
    #[error(transparent)]
    Proxy(#[from] proxy::Error),
    /// An invalid credential or authority.
    #[error("{what} of {owner}: {reason}")]
    Credential {
        /// The part, e.g. `the client certificate`.
        what: &'static str,
        /// The owner, e.g. user `alice`.
        owner: String,
        /// The reason.
        reason: String,
    },
}

impl Explain for Error {
    fn subject(&self) -> Option<String> {
        match self {
            Self::Missing(path) | Self::File { path, .. } => Some(path.display().to_string()),
            Self::Broken { path, line, .. } => Some(format!("{}:{line}", path.display())),
            Self::Truth { flag, .. } => Some(format!("the flag {flag}")),
            Self::Timeout(_) => Some("the flag --request-timeout".to_owned()),
            Self::Credentials(error) => error.subject(),
            Self::Credential { what, owner, .. } => Some(format!("{what} of {owner}")),
            _ => None,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = |text: &str| Some(text.to_owned());
        match self {
            Self::Unknown { kind, known, .. } if !known.is_empty() => Some(among(kind, known)),
            Self::Unknown { kind: "user", .. } => hint("kubectl config set-credentials NAME adds it"),
            Self::Unknown { kind: "cluster", .. } => {
                hint("kubectl config set-cluster NAME --server=URL adds it")
            }
            Self::NoCluster(_) => hint("kubectl config set-context NAME --cluster=NAME gives it one"),
            Self::NoServer(_) | Self::Server(_) => {
                hint("kubectl config set-cluster NAME --server=https://HOST:PORT gives it one")
            }
            Self::ServerUser(_) => {
                hint("kubectl config set-credentials sets the user; remove it from the address")
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => hint(
                "kwasm reads at most 16 MiB of a kubeconfig; to put a context into a file of its own: kubectl config view --minify --flatten --context NAME >FILE",
            ),
            Self::File { path, source } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some(format!("ls -l {} shows who may read it", path.display()))
            }
            Self::Missing(_) | Self::File { .. } => {
                hint("name a file of kubectl's: KUBECONFIG, or --kubeconfig FILE")
            }
            Self::Namespace(_) => hint("a namespace is lower-case letters, digits and dashes"),
            Self::Proxy(error) => error.hint(),
            Self::Credential { what: "the certificate authority", .. } => {
                hint("correct certificate-authority of this cluster in the kubeconfig, or log in again")
            }
            Self::Broken { .. } => hint("kubectl config view shows how kubectl reads it"),
            Self::Credentials(error) => error.hint(),
            Self::ImpersonatesNobody(_) => hint("--as USER names the user"),
            Self::Timeout(_) => hint("a time is whole seconds, or a number with its unit: 90s, 2m, 1h30m"),
            _ => None,
        }
    }
}

/// Lists the existing names; if there are many, the first ones.
fn among(kind: &str, known: &[String]) -> String {
    const SHOWN: usize = 8;
    let first = known[..known.len().min(SHOWN)].join(", ");
    match known.len() {
        0..=SHOWN => format!("its {kind}s are {first}"),
        number => {
            format!("its {kind}s are {first} and {} others: kubectl config get-{kind}s", number - SHOWN)
        }
    }
}
