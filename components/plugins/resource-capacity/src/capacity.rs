//! What nodes have, and what is requested of it.

use crate::nodes;
use plugin_kit::Quantity;
use plugin_kit::requests::{self, Amounts, Listed, Named};
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;

/// CPU or memory of something.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Share {
    pub(crate) allocatable: Quantity,
    pub(crate) request: Quantity,
    pub(crate) limit: Quantity,
    pub(crate) used: Quantity,
}

/// CPU and memory of something.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Shares {
    pub(crate) cpu: Share,
    pub(crate) memory: Share,
}

/// The number of pods, and how many there may be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Count {
    pub(crate) current: i128,
    pub(crate) allocatable: i128,
}

/// The whole cluster.
#[derive(Debug, Default)]
pub(crate) struct Capacity {
    pub(crate) total: Shares,
    pub(crate) count: Count,
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) shares: Shares,
    pub(crate) count: Count,
    pub(crate) pods: Vec<Pod>,
}

#[derive(Debug, Default)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) shares: Shares,
    pub(crate) containers: Vec<Container>,
}

#[derive(Debug, Default)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) shares: Shares,
}

/// `metrics.k8s.io/v1beta1`, `PodMetrics`, and `NodeMetrics`, which has no containers.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Measured {
    #[serde(default)]
    metadata: Named,
    #[serde(default, deserialize_with = "plugin_kit::requests::list")]
    usage: Listed,
    containers: Option<Vec<MeasuredContainer>>,
}

#[derive(Debug, Default, Deserialize)]
struct MeasuredContainer {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "plugin_kit::requests::list")]
    usage: Listed,
}

impl Shares {
    fn of(allocatable: Amounts, request: Amounts, limit: Amounts) -> Self {
        let share = |of: fn(Amounts) -> Quantity| Share {
            allocatable: of(allocatable),
            request: of(request),
            limit: of(limit),
            used: Quantity::default(),
        };
        Self { cpu: share(|amounts| amounts.cpu), memory: share(|amounts| amounts.memory) }
    }

    fn allocatable(&self) -> Amounts {
        Amounts { cpu: self.cpu.allocatable, memory: self.memory.allocatable }
    }

    fn set_used(&mut self, used: Amounts) {
        (self.cpu.used, self.memory.used) = (used.cpu, used.memory);
    }

    /// Adds what is requested and used, but not what is there.
    fn add_needs(&mut self, other: &Self) {
        for (mine, other) in [(&mut self.cpu, other.cpu), (&mut self.memory, other.memory)] {
            mine.request += other.request;
            mine.limit += other.limit;
            mine.used += other.used;
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.current, self.allocatable)
    }
}

/// The use of pods by namespaces and names.
type MeasuredPods = HashMap<(String, String), Vec<MeasuredContainer>>;

/// Puts it together. Without the use of nodes, a node's use is that of its pods.
pub(crate) fn build(
    nodes: Vec<nodes::Node>,
    pods: Vec<requests::Pod>,
    of_nodes: Option<Vec<Measured>>,
    of_pods: Vec<Measured>,
) -> Capacity {
    let mut capacity = Capacity::default();
    let mut places = HashMap::new();
    for node in nodes {
        let allocatable = node.status.allocatable.amounts();
        let count = Count { current: 0, allocatable: node.allocatable_pods() };
        let name = node.metadata.name;
        places.insert(name.clone(), capacity.nodes.len());
        let shares = Shares::of(allocatable, Amounts::default(), Amounts::default());
        capacity.nodes.push(Node { name, shares, count, pods: Vec::new() });
    }
    let named =
        |pod: Measured| ((pod.metadata.namespace, pod.metadata.name), pod.containers.unwrap_or_default());
    let measured: MeasuredPods = of_pods.into_iter().map(named).collect();
    for pod in pods.into_iter().filter(requests::Pod::is_active) {
        let node = pod.spec.node_name.as_deref().and_then(|node| places.get(node));
        if let Some(node) = node.and_then(|index| capacity.nodes.get_mut(*index)) {
            node.add(pod, &measured);
        }
    }
    if let Some(of_nodes) = of_nodes {
        for node in &mut capacity.nodes {
            node.shares.set_used(Amounts::default());
        }
        for measured in of_nodes {
            if let Some(node) =
                places.get(&measured.metadata.name).and_then(|index| capacity.nodes.get_mut(*index))
            {
                node.shares.set_used(measured.usage.amounts());
            }
        }
    }
    for node in &capacity.nodes {
        capacity.total.add_needs(&node.shares);
        capacity.total.cpu.allocatable += node.shares.cpu.allocatable;
        capacity.total.memory.allocatable += node.shares.memory.allocatable;
        capacity.count.current += node.count.current;
        capacity.count.allocatable += node.count.allocatable;
    }
    capacity
}

impl Node {
    fn add(&mut self, pod: requests::Pod, measured: &MeasuredPods) {
        let allocatable = self.shares.allocatable();
        let mut shares = Shares::of(allocatable, pod.requests().amounts(), pod.limits().amounts());
        let requests::Pod { metadata, spec, .. } = pod;
        let key = (metadata.namespace, metadata.name);
        let measured = measured.get(&key).map(Vec::as_slice).unwrap_or_default();
        let mut used = Amounts::default();
        let mut containers = Vec::new();
        for container in spec.containers.unwrap_or_default() {
            let resources = container.resources;
            let mut own = Shares::of(allocatable, resources.requests.amounts(), resources.limits.amounts());
            if let Some(measured) = measured.iter().find(|measured| measured.name == container.name) {
                own.set_used(measured.usage.amounts());
                used += measured.usage.amounts();
            }
            containers.push(Container { name: container.name, shares: own });
        }
        shares.set_used(used);
        self.shares.add_needs(&shares);
        self.count.current += 1;
        let (namespace, name) = key;
        self.pods.push(Pod { name, namespace, shares, containers });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<nodes::Node> {
        serde_json::from_str(
            r#"[{"metadata":{"name":"a"},"status":{"allocatable":{"cpu":"2","memory":"1Gi","pods":"110"}}},
            {"metadata":{"name":"b"},"status":{"allocatable":{"cpu":"1","memory":"1Gi"}}}]"#,
        )
        .unwrap()
    }

    fn pods() -> Vec<requests::Pod> {
        serde_json::from_str(
            r#"[{"metadata":{"namespace":"x","name":"one"},"spec":{"nodeName":"a","containers":[
                {"name":"m","resources":{"requests":{"cpu":"100m"},"limits":{"memory":"1Mi"}}}]}},
            {"metadata":{"namespace":"x","name":"two"},"spec":{"nodeName":"a","containers":[{"name":"m"}]}},
            {"metadata":{"namespace":"x","name":"done"},"spec":{"nodeName":"a"},"status":{"phase":"Succeeded"}},
            {"metadata":{"namespace":"x","name":"waits"},"spec":{}},
            {"metadata":{"namespace":"x","name":"elsewhere"},"spec":{"nodeName":"gone"}}]"#,
        )
        .unwrap()
    }

    fn measured(text: &str) -> Vec<Measured> {
        serde_json::from_str(text).unwrap()
    }

    const OF_PODS: &str = r#"[{"metadata":{"namespace":"x","name":"one"},
        "containers":[{"name":"m","usage":{"cpu":"1500001n","memory":"1Ki"}}]},
        {"metadata":{"namespace":"x","name":"two"},"containers":[{"name":"m","usage":{"cpu":"1500001n"}}]}]"#;

    #[test]
    fn pods_that_run_are_added_to_their_nodes() {
        let capacity = build(nodes(), pods(), None, Vec::new());
        let [a, b] = capacity.nodes.as_slice() else { panic!("two nodes") };
        assert_eq!((a.count.current, a.count.allocatable, b.count.current), (2, 110, 0));
        assert_eq!(a.shares.cpu.request.milli(), 100);
        assert_eq!(a.pods[0].containers[0].shares.memory.limit.rounded(), 1 << 20);
        assert_eq!(capacity.total.cpu.allocatable.milli(), 3000);
        assert_eq!(capacity.count, Count { current: 2, allocatable: 110 });
    }

    #[test]
    fn a_nodes_use_is_its_own_or_else_that_of_its_pods() {
        let of_pods = build(nodes(), pods(), None, measured(OF_PODS));
        assert_eq!(of_pods.nodes[0].pods[0].shares.cpu.used.milli(), 2);
        assert_eq!(of_pods.nodes[0].shares.cpu.used.milli(), 4, "3000002n, rounded up once");
        assert_eq!(of_pods.total.cpu.used.milli(), 4);
        let own = measured(r#"[{"metadata":{"name":"a"},"usage":{"cpu":"1","memory":"3Mi"}}]"#);
        let of_nodes = build(nodes(), pods(), Some(own), measured(OF_PODS));
        assert_eq!(of_nodes.nodes[0].shares.cpu.used.milli(), 1000);
        assert_eq!(of_nodes.nodes[0].pods[0].shares.cpu.used.milli(), 2);
        let unknown = build(nodes(), pods(), Some(Vec::new()), measured(OF_PODS));
        assert_eq!(unknown.nodes[0].shares.cpu.used.milli(), 0);
    }
}
