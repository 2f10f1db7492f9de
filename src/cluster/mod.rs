//! A kubeconfig's context becomes one endpoint and one identity. The reference is client-go.
//!
//! What is read at once is the kubeconfig; certificates, keys and tokens are read when the first request needs
//! them, so that a plugin which only prints its help touches none of them.

mod contexts;
mod credentials;
mod document;
mod endpoint;
mod flags;
mod guest;
mod kubeconfig;
mod pem;
mod secret;
mod trust;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::contexts::{Contexts, MOST as MOST_CONTEXTS, Numbered};
pub use self::endpoint::{Endpoint, Origin};
pub use self::flags::Flags;
pub use self::guest::GuestConfig;
pub use self::credentials::{Credential, Credentials, Validity};
pub use self::kubeconfig::Kubeconfig;
pub use self::trust::Trust;
use self::document::{ClusterEntry, UserEntry};
use crate::cli::Environment;

/// One context of a kubeconfig: where its API server is and who asks there.
pub struct Cluster {
    context: String,
    namespace: String,
    endpoint: Endpoint,
    trust: Trust,
    credentials: Arc<Credentials>,
    #[cfg(feature = "faults")]
    user: UserEntry,
}

/// What a kubeconfig and flags select.
pub enum Selection {
    /// A context.
    Cluster(Box<Cluster>),
    /// No context, and why. A plugin may still run: it just reaches nothing.
    Nothing(String),
}

impl Selection {
    /// The cluster, if it is one.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        match self {
            Self::Cluster(cluster) => Some(cluster),
            Self::Nothing(_) => None,
        }
    }
}

/// Why a kubeconfig leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that `--kubeconfig` names is not there.
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
    /// A file is longer than any kubeconfig.
    #[error("{}: it is longer than 16 MiB", .0.display())]
    TooLong(PathBuf),
    /// A file is no kubeconfig. No word of what it holds is shown: that may be a secret.
    #[error("{}:{line}: it is no kubeconfig: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The reason.
        reason: String,
    },
    /// A name leads to nothing.
    #[error("the kubeconfig has no {kind} `{name}`")]
    Unknown {
        /// `context`, `cluster` or `user`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The names that are there.
        known: Vec<String>,
    },
    /// The server's address is none.
    #[error(
        "the server of cluster `{0}` is no address of an API server (https://HOST:PORT, maybe with a path)"
    )]
    Server(String),
    /// Something that kubectl takes and kwasm does not yet.
    #[error("{0} is not served by kwasm yet")]
    Unserved(String),
    /// A flag that kubectl takes and kwasm does not yet.
    #[error("the flag {0} is not served by kwasm yet")]
    UnservedFlag(&'static str),
    /// A flag stands last.
    #[error("the flag {0} needs a value")]
    FlagValue(String),
    /// Some PEM is none.
    #[error("{what} of {owner}: {reason}")]
    Credential {
        /// e.g. `the client certificate`.
        what: &'static str,
        /// e.g. user `alice`.
        owner: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Cluster {
    /// Follows `--context`, else `current-context`, to a cluster and a user.
    ///
    /// # Errors
    /// When a name leads to nothing, or the entry needs something that kwasm does not serve yet: to leave it out
    /// would be to ask as somebody else, or somewhere else.
    pub fn select(kubeconfig: &Kubeconfig, flags: &Flags) -> Result<Selection, Error> {
        if kubeconfig.files.is_empty() {
            if let Some(name) = &flags.context {
                return Err(Error::Unknown { kind: "context", name: name.clone(), known: Vec::new() });
            }
            let looked_at: Vec<_> =
                kubeconfig.looked_at.iter().map(|path| path.display().to_string()).collect();
            return Ok(Selection::Nothing(format!(
                "there is no kubeconfig (looked for {})",
                looked_at.join(", ")
            )));
        }
        let current = kubeconfig.document.current_context.as_deref().filter(|name| !name.is_empty());
        let Some(name) = flags.context.as_deref().or(current) else {
            return Ok(Selection::Nothing("the kubeconfig has no current context".to_owned()));
        };
        Self::named(kubeconfig, name, flags)
    }

    /// Follows the context `name`.
    pub(super) fn named(kubeconfig: &Kubeconfig, name: &str, flags: &Flags) -> Result<Selection, Error> {
        let unknown = |kind, name: &str| Error::Unknown {
            kind,
            name: name.to_owned(),
            known: if kind == "context" {
                kubeconfig.contexts().map(str::to_owned).collect()
            } else {
                Vec::new()
            },
        };
        let context = kubeconfig.context(name).ok_or_else(|| unknown("context", name))?;
        let cluster_name = context.cluster.as_deref().unwrap_or_default();
        let entry = kubeconfig.cluster(cluster_name).ok_or_else(|| unknown("cluster", cluster_name))?;
        let user_name = context.user.as_deref().unwrap_or_default();
        let user = match user_name {
            "" => &UserEntry::default(),
            user_name => kubeconfig.user(user_name).ok_or_else(|| unknown("user", user_name))?,
        };
        unserved(entry, user)?;
        let server = entry.server.as_deref().unwrap_or_default();
        let endpoint = Endpoint::read(server).ok_or_else(|| Error::Server(cluster_name.to_owned()))?;
        let chosen =
            flags.namespace.as_deref().or(context.namespace.as_deref()).filter(|name| !name.is_empty());
        Ok(Selection::Cluster(Box::new(Self {
            context: name.to_owned(),
            namespace: chosen.unwrap_or("default").to_owned(),
            endpoint,
            trust: Trust::of(name, entry),
            credentials: Arc::new(Credentials::of(user_name, user, &Environment::default())?),
            #[cfg(feature = "faults")]
            user: user.clone(),
        })))
    }

    /// The context's name.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The namespace that the user chose: `-n`, else the context's, else `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Where the API server is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What makes a server this one.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Who asks there.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}

/// Names the first thing in the kubeconfig that is not served yet.
fn unserved(cluster: &ClusterEntry, user: &UserEntry) -> Result<(), Error> {
    let set = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let found = [
        ("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify == Some(true)),
        ("tls-server-name", set(&cluster.tls_server_name)),
        ("proxy-url", set(&cluster.proxy_url)),
        (
            "a username and password",
            set(&user.username) || user.password.as_ref().is_some_and(|p| !p.is_empty()),
        ),
        ("an exec credential plugin", user.exec.is_some()),
        ("an auth-provider", user.auth_provider.is_some()),
        (
            "impersonation (as, as-uid, as-groups, as-user-extra)",
            set(&user.impersonate)
                || set(&user.as_uid)
                || user.as_groups.as_ref().is_some_and(|groups| !groups.is_empty())
                || user.as_user_extra.is_some(),
        ),
    ];
    match found.into_iter().find(|(_, present)| *present) {
        Some((what, _)) => Err(Error::Unserved(format!("{what} in the kubeconfig"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
