//! What a guest gets to see as its kubeconfig: names, a namespace and a virtual server. No credential, no address.

use serde::Serialize;

use super::Cluster;
use super::endpoint::Endpoint;

/// The kubeconfig of a guest, as YAML.
pub struct GuestConfig(String);

/// The server in every guest's kubeconfig: an address of TEST-NET-1 (RFC 5737), which no network routes. An IP
/// literal, since clients on WASI cannot resolve names without threads; plain HTTP, since TLS is the gate's.
pub(super) const VIRTUAL_SERVER: &str = "http://192.0.2.1";

/// The name by which workloads inside a cluster know its API server.
pub(super) const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";

impl GuestConfig {
    /// The kubeconfig that shows `cluster` to a guest.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        #[cfg(feature = "faults")]
        if !crate::defence::stands(crate::defence::Defence::Kubeconfig) {
            return Self::with_secrets(cluster);
        }
        let config = Config {
            api_version: "v1",
            kind: "Config",
            current_context: cluster.context(),
            clusters: [Named {
                name: cluster.context(),
                entry: Entry::Cluster(Server { server: VIRTUAL_SERVER }),
            }],
            contexts: [Named {
                name: cluster.context(),
                entry: Entry::Context(Context {
                    cluster: cluster.context(),
                    user: cluster.context(),
                    namespace: cluster.namespace(),
                }),
            }],
            users: [Named { name: cluster.context(), entry: Entry::User(Empty {}) }],
        };
        // JSON is YAML, is read by whoever has only JSON, and quotes every name safely.
        Self(serde_json::to_string_pretty(&config).unwrap_or_default())
    }

    /// What must never be: the user's credentials too. For a test alone, which shows that they would be found.
    #[cfg(feature = "faults")]
    fn with_secrets(cluster: &Cluster) -> Self {
        let user = &cluster.user;
        Self(format!(
            "server: {VIRTUAL_SERVER}\ntoken: {:?}\nclient-key: {:?}\n",
            user.token.as_ref().map_or("", |token| token.reveal()),
            user.client_key,
        ))
    }

    /// The kubeconfig of a guest for which there is no cluster.
    #[must_use]
    pub fn empty() -> Self {
        Self("{\"apiVersion\": \"v1\", \"kind\": \"Config\"}\n".to_owned())
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// The addresses by which a guest may name the selected cluster, whichever that is.
pub fn virtual_names() -> impl Iterator<Item = Endpoint> {
    [VIRTUAL_SERVER, IN_CLUSTER_SERVER].into_iter().filter_map(Endpoint::read)
}

impl Cluster {
    /// The addresses by which a guest may name this cluster.
    pub fn names(&self) -> impl Iterator<Item = Endpoint> {
        virtual_names().chain([self.endpoint().clone()])
    }
}

#[derive(Serialize)]
struct Config<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    #[serde(rename = "current-context")]
    current_context: &'a str,
    clusters: [Named<'a>; 1],
    contexts: [Named<'a>; 1],
    users: [Named<'a>; 1],
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    #[serde(flatten)]
    entry: Entry<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Entry<'a> {
    Cluster(Server),
    Context(Context<'a>),
    User(Empty),
}

#[derive(Serialize)]
struct Server {
    server: &'static str,
}

#[derive(Serialize)]
struct Context<'a> {
    cluster: &'a str,
    user: &'a str,
    namespace: &'a str,
}

#[derive(Serialize)]
struct Empty {}
