//! What is read of the cluster.

use crate::capacity::{self, Capacity, Measured};
use crate::nodes::Node;
use crate::taints::Taints;
use crate::{NAMESPACE, NAMESPACE_LABELS, NO_TAINT, NODE_LABELS, NODE_TAINTS, POD_LABELS, UTIL};
use kube_guest::{Cluster, Error, List, Lists, METADATA, Path};
use plugin_kit::requests::Pod;
use plugin_kit::{Arguments, Explain, Failure, Object};
use std::collections::HashSet;

/// Which nodes and pods are meant.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) namespace: Option<String>,
    /// Whether what is used is wanted too.
    pub(crate) used: bool,
    pod_labels: Option<String>,
    node_labels: Option<String>,
    namespace_labels: Option<String>,
    untainted: bool,
    taints: Taints,
}

impl Wanted {
    /// Reads it from the command line.
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let value = |flag| arguments.value(flag).filter(|value| !value.is_empty()).map(str::to_owned);
        let namespace = value(&NAMESPACE);
        Ok(Self {
            used: arguments.has(&UTIL),
            pod_labels: value(&POD_LABELS),
            node_labels: value(&NODE_LABELS),
            // As in kube-capacity, a namespace is chosen by its name if it is named.
            namespace_labels: value(&NAMESPACE_LABELS).filter(|_| namespace.is_none()),
            namespace,
            untainted: arguments.has(&NO_TAINT),
            taints: Taints::parse(arguments.value(&NODE_TAINTS).unwrap_or("")).map_err(Failure::usage)?,
        })
    }

    fn includes(&self, node: &Node) -> bool {
        let tainted = node.spec.taints.as_ref().is_some_and(|taints| !taints.is_empty());
        !(self.untainted && tainted) && self.taints.includes(node)
    }
}

const JSON: &str = "application/json";

/// Reads all that is wanted, side by side.
pub(crate) fn read(cluster: &Cluster, wanted: &Wanted) -> Result<Capacity, Failure> {
    let labelled = |path: Path, labels: &Option<String>| match labels {
        Some(labels) => path.query("labelSelector", labels),
        None => path,
    };
    let place = wanted.namespace.as_deref();
    // Pods that have ended, or are nowhere, hold nothing.
    let pods = segments(&["api", "v1"], place, "pods")?
        .query("fieldSelector", "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed");
    let pods: Lists<'_, Pod> = cluster.begin_lists([labelled(pods, &wanted.pod_labels)], JSON);
    let nodes = labelled(Path::new(["api", "v1", "nodes"])?, &wanted.node_labels);
    let nodes: Lists<'_, Node> = cluster.begin_lists([nodes], JSON);
    let namespaces: Option<Lists<'_, Object>> = match &wanted.namespace_labels {
        None => None,
        labels => {
            Some(cluster.begin_lists([labelled(Path::new(["api", "v1", "namespaces"])?, labels)], METADATA))
        }
    };
    let metrics = ["apis", "metrics.k8s.io", "v1beta1"];
    let of_pods: Option<Lists<'_, Measured>> = if wanted.used {
        Some(cluster.begin_lists([segments(&metrics, place, "pods")?], JSON))
    } else {
        None
    };
    // The use of a whole node says nothing of some of its pods.
    let whole = wanted.used && place.is_none() && wanted.namespace_labels.is_none();
    let of_nodes: Option<Lists<'_, Measured>> = if whole {
        let path = labelled(segments(&metrics, None, "nodes")?, &wanted.node_labels);
        Some(cluster.begin_lists([path], JSON))
    } else {
        None
    };
    let mut nodes = nodes.finish_one().of("nodes")?.items;
    nodes.retain(|node| wanted.includes(node));
    let namespaces = namespaces.map(|list| list.finish_one().of("namespaces")).transpose()?;
    let of_pods = of_pods.map(|list| measured(list.finish_one(), "pods")).transpose()?;
    let of_nodes = of_nodes.map(|list| measured(list.finish_one(), "nodes")).transpose()?;
    let mut pods = pods.finish_one().of("pods")?.items;
    if let Some(namespaces) = namespaces {
        let names = namespaces.items.into_iter().map(|namespace| namespace.metadata.name);
        let names: HashSet<String> = names.collect();
        pods.retain(|pod| names.contains(&pod.metadata.namespace));
    }
    Ok(capacity::build(nodes, pods, of_nodes, of_pods.unwrap_or_default()))
}

fn segments(api: &[&str], namespace: Option<&str>, resource: &str) -> Result<Path, Failure> {
    let mut segments = api.to_vec();
    if let Some(namespace) = namespace {
        segments.extend(["namespaces", namespace]);
    }
    segments.push(resource);
    Ok(Path::new(segments)?)
}

/// Returns what was measured; the error says what measures it.
fn measured(list: Result<List<Measured>, Error>, what: &str) -> Result<Vec<Measured>, Failure> {
    match list {
        Ok(list) => Ok(list.items),
        Err(error) if error.status() == Some(404) => {
            Err(Failure::message(format!("use of {what}: this cluster does not serve metrics.k8s.io"))
                .with_hint("metrics-server does; without --util requests and limits are shown"))
        }
        Err(error) => Err(error).of(format!("use of {what}")),
    }
}
