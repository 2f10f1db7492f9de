//! The kubeconfig that kwasm gives a plugin: one server, contexts with their namespaces, no secrets.

use crate::Error;
use serde::Deserialize;

/// The selected cluster and its namespace.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Selected {
    pub(crate) server: Server,
    pub(crate) namespace: String,
}

/// A server's URL, split as wasi:http requires.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Server {
    pub(crate) https: bool,
    pub(crate) authority: String,
    /// Empty, or a path without its trailing slash.
    pub(crate) prefix: String,
}

/// Reads a kubeconfig in JSON, as kwasm writes it: a reader of YAML would be two thirds of a small plugin. `context`
/// and `namespace` are kwasm's choice from flags; without them, the kubeconfig's own values apply.
pub(crate) fn select(text: &str, context: Option<&str>, namespace: Option<&str>) -> Result<Selected, Error> {
    let config: Kubeconfig =
        serde_json::from_str(text).map_err(|error| Error::Kubeconfig(error.to_string()))?;
    let name = context.unwrap_or(&config.current_context);
    let context = config.contexts.iter().find(|context| context.name == name).map(|named| &named.context);
    let cluster = match context {
        Some(context) => config.clusters.iter().find(|cluster| cluster.name == context.cluster),
        // The host's name for a context need not be in the file: one cluster leaves no doubt.
        None if config.clusters.len() == 1 => config.clusters.first(),
        None => None,
    };
    let Some(cluster) = cluster else {
        return Err(Error::Kubeconfig(format!("the context `{name}` names no cluster")));
    };
    let namespace = namespace
        .or(context.and_then(|context| context.namespace.as_deref()))
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or("default");
    Ok(Selected { server: Server::parse(&cluster.cluster.server)?, namespace: namespace.to_owned() })
}

impl Server {
    fn parse(url: &str) -> Result<Self, Error> {
        let bad = || Error::Kubeconfig(format!("`{url}` is no server's URL"));
        let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(bad()),
        };
        let (authority, prefix) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if authority.is_empty() {
            return Err(bad());
        }
        let prefix = prefix.trim_end_matches('/').to_owned();
        Ok(Self { https, authority: authority.to_owned(), prefix })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Kubeconfig {
    #[serde(default)]
    current_context: String,
    #[serde(default)]
    contexts: Vec<NamedContext>,
    #[serde(default)]
    clusters: Vec<NamedCluster>,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    #[serde(default)]
    cluster: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: ClusterEntry,
}

#[derive(Deserialize)]
struct ClusterEntry {
    server: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{
        "apiVersion": "v1", "kind": "Config", "current-context": "shop",
        "clusters": [
            {"name": "kwasm", "cluster": {"server": "http://192.0.2.1"}},
            {"name": "other", "cluster": {"server": "https://rancher.example/k8s/clusters/c-1/"}}],
        "contexts": [
            {"name": "shop", "context": {"cluster": "kwasm", "namespace": "shop", "user": "kwasm"}},
            {"name": "bare", "context": {"cluster": "other"}}],
        "users": [{"name": "kwasm", "user": {}}]}"#;

    #[test]
    fn the_current_context_names_server_and_namespace() {
        let selected = select(CONFIG, None, None).unwrap();
        assert_eq!(selected.server.authority, "192.0.2.1");
        assert!(!selected.server.https);
        assert_eq!(selected.namespace, "shop");
    }

    #[test]
    fn what_the_host_resolved_comes_first() {
        let selected = select(CONFIG, Some("bare"), Some("kube-system")).unwrap();
        assert!(selected.server.https);
        assert_eq!(selected.server.prefix, "/k8s/clusters/c-1");
        assert_eq!(selected.namespace, "kube-system");
    }

    #[test]
    fn a_context_without_namespace_means_default() {
        assert_eq!(select(CONFIG, Some("bare"), None).unwrap().namespace, "default");
        assert_eq!(select(CONFIG, Some("bare"), Some("")).unwrap().namespace, "default");
    }

    #[test]
    fn a_context_that_is_not_there_is_an_error() {
        assert!(select(CONFIG, Some("absent"), None).unwrap_err().to_string().contains("`absent`"));
        assert!(select("{", None, None).is_err());
        assert!(Server::parse("ftp://x").is_err());
    }
}
