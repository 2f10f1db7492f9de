//! The kubeconfig of a guest: names, a namespace and a virtual server. No credentials, no real addresses.

use serde::Serialize;

#[cfg(feature = "faults")]
use super::Selection;
use super::{Cluster, Contexts};

/// The guest's name for a context that has none.
const NAMELESS: &str = "default";

/// A guest's kubeconfig in YAML.
pub struct GuestConfig(String);

impl GuestConfig {
    /// Returns a kubeconfig that shows these contexts to a guest. It is empty if there are none.
    #[must_use]
    pub fn of(contexts: &Contexts) -> Self {
        #[cfg(feature = "faults")]
        if !crate::defence::Defence::Kubeconfig.stands()
            && let Selection::Cluster(cluster) = contexts.selected()
        {
            return Self::with_secrets(cluster);
        }
        let mut config = Config { api_version: "v1", kind: "Config", ..Config::default() };
        for context in contexts.numbered() {
            let Some(name) = context.name else { continue };
            // A server that flags alone name has no context's name, and a kubeconfig none without.
            let name = if name.is_empty() { NAMELESS } else { name };
            if context.number == 1 {
                config.current_context = Some(name);
            }
            let namespace = context.cluster().map(Cluster::namespace);
            config.clusters.push(Named { name, entry: Entry::Cluster(Server { server: context.server() }) });
            config.contexts.push(Named {
                name,
                entry: Entry::Context(Context { cluster: name, user: name, namespace }),
            });
            config.users.push(Named { name, entry: Entry::User(Empty {}) });
        }
        // JSON is valid YAML, can be read by clients that only support JSON, and quotes every name safely.
        Self(serde_json::to_string_pretty(&config).unwrap_or_default())
    }

    /// Returns a kubeconfig with the user's credentials, which must never happen. Only for a test that shows
    /// that they would be found.
    #[cfg(feature = "faults")]
    fn with_secrets(cluster: &Cluster) -> Self {
        let user = &cluster.user;
        Self(format!(
            "server: http://192.0.2.1\ntoken: {:?}\nclient-key: {:?}\n",
            user.token.as_ref().map_or("", |token| token.reveal()),
            user.client_key,
        ))
    }

    /// Returns the text of the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[derive(Default, Serialize)]
struct Config<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    #[serde(rename = "current-context", skip_serializing_if = "Option::is_none")]
    current_context: Option<&'a str>,
    clusters: Vec<Named<'a>>,
    contexts: Vec<Named<'a>>,
    users: Vec<Named<'a>>,
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
    server: String,
}

#[derive(Serialize)]
struct Context<'a> {
    cluster: &'a str,
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
}

#[derive(Serialize)]
struct Empty {}
