//! What is counted.

use kube_guest::{BadPath, Cluster, List, Path};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A resource that is listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resource {
    Pods,
    Deployments,
    Nodes,
}

/// All of them.
pub(crate) const RESOURCES: [Resource; 3] = [Resource::Pods, Resource::Deployments, Resource::Nodes];

/// An object of any of them, as far as it is counted: a page of them is short-lived, so that memory grows with the number of
/// objects and not with their size.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    namespace: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: Option<String>,
    unavailable_replicas: Option<i64>,
    conditions: Option<Vec<Condition>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
}

/// The replicas of a deployment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Replicas {
    pub(crate) wanted: i64,
    pub(crate) unavailable: i64,
}

impl Resource {
    /// Returns its name, with its group.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Deployments => "deployments.apps",
            Self::Nodes => "nodes",
        }
    }

    /// Returns the path of its list.
    fn path(self) -> Result<Path, BadPath> {
        match self {
            Self::Pods => Path::new(["api", "v1", "pods"]),
            Self::Deployments => Path::new(["apis", "apps", "v1", "deployments"]),
            Self::Nodes => Path::new(["api", "v1", "nodes"]),
        }
    }
}

/// All numbers of one scrape.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// Pods, by namespace and phase.
    pub(crate) pods: BTreeMap<(String, String), i64>,
    /// Deployments, by namespace and name.
    pub(crate) deployments: BTreeMap<(String, String), Replicas>,
    /// Nodes, by the status of their condition `Ready`.
    pub(crate) nodes: BTreeMap<String, i64>,
    /// Why a resource could not be listed, in the order of [`RESOURCES`].
    pub(crate) failed: [Option<String>; RESOURCES.len()],
}

impl Collected {
    /// Lists and counts. What cannot be listed is a failure of its own, and the others are counted all the same.
    ///
    /// # Errors
    /// None: the paths are well-formed.
    pub(crate) fn of(cluster: &Cluster) -> Result<Self, BadPath> {
        let mut collected = Self::default();
        let paths: Vec<Path> = RESOURCES.iter().map(|resource| resource.path()).collect::<Result<_, _>>()?;
        let lists = cluster.lists(paths, "application/json");
        for (at, (resource, list)) in RESOURCES.iter().zip(lists).enumerate() {
            match list {
                Ok(List { items, .. }) => {
                    for object in items {
                        collected.count(*resource, object);
                    }
                }
                Err(error) => collected.failed[at] = Some(error.to_string()),
            }
        }
        Ok(collected)
    }

    fn count(&mut self, resource: Resource, object: Object) {
        match resource {
            Resource::Pods => self.pod(object),
            Resource::Deployments => self.deployment(object),
            Resource::Nodes => self.node(object),
        }
    }

    fn pod(&mut self, pod: Object) {
        let phase = pod.status.phase.unwrap_or_else(|| "Unknown".to_owned());
        *self.pods.entry((pod.metadata.namespace, phase)).or_default() += 1;
    }

    fn deployment(&mut self, deployment: Object) {
        let Object { metadata, spec, status } = deployment;
        let replicas = Replicas {
            // The API server's default.
            wanted: spec.replicas.unwrap_or(1),
            unavailable: status.unavailable_replicas.unwrap_or_default(),
        };
        self.deployments.insert((metadata.namespace, metadata.name), replicas);
    }

    fn node(&mut self, node: Object) {
        let conditions = node.status.conditions.unwrap_or_default();
        let ready = conditions.into_iter().find(|condition| condition.r#type == "Ready");
        let ready = ready.map_or_else(|| "Unknown".to_owned(), |condition| condition.status);
        *self.nodes.entry(ready).or_default() += 1;
    }

    /// Returns the resources that could not be listed, each with the reason.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let named = RESOURCES.iter().zip(&self.failed);
        named.filter_map(|(resource, why)| Some((resource.name(), why.as_deref()?)))
    }

    /// Returns how many numbers there are.
    pub(crate) fn series(&self) -> usize {
        self.pods.len() + 2 * self.deployments.len() + self.nodes.len() + RESOURCES.len()
    }
}
