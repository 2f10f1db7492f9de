//! A kubeconfig's context becomes one endpoint and one identity. The reference is client-go.
//!
//! What is read at once is the kubeconfig; certificates, keys and tokens are read, and credential plugins run, when the
//! first request needs them, so that a plugin which only prints its help touches none of them.

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

pub use self::contexts::{Contexts, MOST as MOST_CONTEXTS, Numbered};
/// Why there is no credential.
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

/// One context of a kubeconfig: where its API server is and who asks there.
pub struct Cluster {
    context: String,
    /// What the kubeconfig calls its cluster and its user.
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

/// The credentials that the contexts of one run have in common, by the names of user and cluster: a credential plugin
/// runs once for all of them. Where no plugin may be told of the cluster it is left empty, and a user's are one: an
/// `oidc` refresh token may go only once.
type Shared = BTreeMap<(String, String), Arc<Credentials>>;

impl Cluster {
    /// Follows `--context`, else `current-context`, to a cluster and a user, or `--server` to a server.
    ///
    /// # Errors
    /// When a name leads to nothing, or an entry contradicts itself.
    pub fn select(kubeconfig: &Kubeconfig, flags: &Flags) -> Result<Selection, Error> {
        Self::selected(kubeconfig, flags, &mut Shared::new())
    }

    fn selected(kubeconfig: &Kubeconfig, flags: &Flags, shared: &mut Shared) -> Result<Selection, Error> {
        Ok(match select::selected(kubeconfig, flags)? {
            Ok(selected) => Selection::Cluster(Box::new(Self::of(kubeconfig, selected, flags, shared)?)),
            Err(why) => Selection::Nothing(why),
        })
    }

    /// Follows the context `name`.
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
        // Behind the path may be what is not part of an address.
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

    /// The context's name; empty where flags alone say what it is.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Its cluster's name; empty where flags alone say what it is.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        &self.names.cluster
    }

    /// Its user's name; empty for nobody.
    #[must_use]
    pub fn user_name(&self) -> &str {
        &self.names.user
    }

    /// The namespace that the user chose: `-n`, else the context's, else `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns where the API server is, as the kubeconfig or a flag spells it; with its scheme, where that leaves it to be known
    /// that a bare host is a plain HTTP server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
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

    /// The proxy on the way there, if there is one.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Who asks there.
    #[must_use]
    pub fn credentials(&self) -> &Arc<Credentials> {
        &self.credentials
    }

    /// As whom.
    #[must_use]
    pub fn impersonation(&self) -> Option<&Impersonation> {
        self.impersonation.as_ref()
    }

    /// How long one request may take, its answer with it. `None` is for ever.
    #[must_use]
    pub fn request_timeout(&self) -> Option<Duration> {
        self.request_timeout
    }

    /// Whether answers are not to be compressed.
    #[must_use]
    pub fn disables_compression(&self) -> bool {
        self.disable_compression
    }
}

#[cfg(test)]
mod tests;
