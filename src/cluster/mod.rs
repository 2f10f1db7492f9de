//! A kubeconfig's context becomes one endpoint and one identity. The reference is client-go.
//!
//! The kubeconfig is read at once. Certificates, keys and tokens are read, and credential plugins run, when
//! the first request needs them, so that a plugin that only prints its help touches none of them.

mod contexts;
mod credentials;
mod document;
mod endpoint;
mod error;
mod file;
mod flags;
mod guest;
mod impersonation;
mod in_cluster;
mod kubeconfig;
mod pem;
mod secret;
mod select;
mod trust;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use self::contexts::{Contexts, MOST as MOST_CONTEXTS, Numbered, Recalled};
/// The reason why there are no credentials.
pub use self::credentials::Error as CredentialsError;
pub use self::credentials::{Authentication, Credential, Credentials, ExecCluster, Validity};
#[cfg(feature = "faults")]
use self::document::UserEntry;
pub use self::endpoint::{Endpoint, Origin};
pub use self::error::Error;
pub use self::flags::Flags;
pub use self::guest::GuestConfig;
pub use self::impersonation::{Impersonation, says_who};
pub use self::kubeconfig::Kubeconfig;
use self::select::Selected;
pub(crate) use self::trust::words;
pub use self::trust::{Authority, CertificateProblem, Trust};
use crate::proxy::Proxy;

/// A context of a kubeconfig: its API server and its user.
pub struct Cluster {
    context: String,
    /// The kubeconfig's names of its cluster and its user.
    names: Names,
    namespace: String,
    server: String,
    endpoint: Endpoint,
    trust: Trust,
    proxy: Option<Proxy>,
    credentials: Arc<Credentials>,
    impersonation: Option<Impersonation>,
    request_timeout: Option<Duration>,
    disable_compression: bool,
    #[cfg(feature = "faults")]
    user: UserEntry,
}

/// Names in a kubeconfig.
struct Names {
    cluster: String,
    user: String,
}

/// The selection by a kubeconfig and flags.
pub enum Selection {
    /// A context.
    Cluster(Box<Cluster>),
    /// No context, with the reason. A plugin may still run without a cluster.
    Nothing(String),
}

impl Selection {
    /// Returns the cluster, if there is one.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        match self {
            Self::Cluster(cluster) => Some(cluster),
            Self::Nothing(_) => None,
        }
    }
}

/// The credentials that the contexts of one run share, by the names of user and cluster, so that a credential
/// plugin runs once for all of them. The name of the cluster is empty if no plugin gets information about it,
/// so that a user's credentials are the same for all clusters: an `oidc` refresh token may be usable only
/// once.
type Shared = BTreeMap<(String, String), Arc<Credentials>>;

impl Cluster {
    /// Resolves `--context`, or else `current-context`, to a cluster and a user, or `--server` to a server.
    ///
    /// # Errors
    /// If a name has no entry, or an entry contradicts itself.
    pub fn select(kubeconfig: &Kubeconfig, flags: &Flags) -> Result<Selection, Error> {
        Self::selected(kubeconfig, flags, &mut Shared::new())
    }

    fn selected(kubeconfig: &Kubeconfig, flags: &Flags, shared: &mut Shared) -> Result<Selection, Error> {
        Ok(match select::selected(kubeconfig, flags)? {
            Ok(selected) => Selection::Cluster(Box::new(Self::of(kubeconfig, selected, flags, shared)?)),
            Err(why) => Selection::Nothing(why),
        })
    }

    /// Resolves the context `name`.
    fn named(
        kubeconfig: &Kubeconfig,
        name: &str,
        flags: &Flags,
        shared: &mut Shared,
    ) -> Result<Selection, Error> {
        let selected = select::named(kubeconfig, name, flags)?;
        Ok(Selection::Cluster(Box::new(Self::of(kubeconfig, selected, flags, shared)?)))
    }

    fn of(
        kubeconfig: &Kubeconfig,
        selected: Selected,
        flags: &Flags,
        shared: &mut Shared,
    ) -> Result<Self, Error> {
        let Selected { context, cluster_name, cluster, user_name, user, namespace } = selected;
        let server = cluster.server.as_deref().unwrap_or_default();
        let endpoint = Endpoint::read(server).ok_or_else(|| {
            let authority = server.split("://").last().and_then(|rest| rest.split('/').next());
            let user = authority.is_some_and(|authority| authority.contains('@'));
            if user { Error::ServerUser(cluster_name.clone()) } else { Error::Server(cluster_name.clone()) }
        })?;
        let trust = Trust::of(&context, &cluster)?;
        let proxy =
            Proxy::choose(cluster.proxy_url.as_deref(), &kubeconfig.environment, endpoint.origin().into())?;
        let cluster_told = if user.exec.is_some() { cluster_name.clone() } else { String::new() };
        let known = (user_name.clone(), cluster_told);
        let credentials = if let Some(credentials) = shared.get(&known) {
            Arc::clone(credentials)
        } else {
            let exec_cluster = ExecCluster::from(&cluster);
            let own = Arc::new(Credentials::of(&user_name, &user, exec_cluster, &kubeconfig.environment)?);
            shared.insert(known, Arc::clone(&own));
            own
        };
        // Text after the path may not be part of the address.
        let server = server.split(['?', '#']).next().unwrap_or_default();
        let server = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
        Ok(Self {
            server,
            endpoint,
            trust,
            proxy,
            credentials,
            impersonation: Impersonation::of(&user_name, &user)?,
            request_timeout: flags.request_timeout,
            disable_compression: cluster.disable_compression == Some(true),
            context,
            names: Names { cluster: cluster_name, user: user_name },
            namespace,
            #[cfg(feature = "faults")]
            user,
        })
    }

    /// Returns the context's name; empty if only flags select the cluster.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Returns the cluster's name; empty if only flags select it.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        &self.names.cluster
    }

    /// Returns the user's name; empty if there is none.
    #[must_use]
    pub fn user_name(&self) -> &str {
        &self.names.user
    }

    /// Returns the namespace: `-n`, or else the context's, or else `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the address of the API server as the kubeconfig or a flag spells it. A scheme is added to a
    /// bare host, which means plain HTTP.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the address of the API server.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the trust settings for the server.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Returns the proxy on the way there, if there is one.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Returns the credentials of the user.
    #[must_use]
    pub fn credentials(&self) -> &Arc<Credentials> {
        &self.credentials
    }

    /// Returns the impersonation, if there is one.
    #[must_use]
    pub fn impersonation(&self) -> Option<&Impersonation> {
        self.impersonation.as_ref()
    }

    /// Returns the timeout of one request, including its answer; `None` for no limit.
    #[must_use]
    pub fn request_timeout(&self) -> Option<Duration> {
        self.request_timeout
    }

    /// Returns whether answers must not be compressed.
    #[must_use]
    pub fn disables_compression(&self) -> bool {
        self.disable_compression
    }
}

#[cfg(test)]
mod tests;
