//! The same as JSON and YAML, in the words of kube-capacity.

use crate::Shown;
use crate::capacity::{Capacity, Container, Count, Node, Pod, Share, Shares};
use crate::figures::{self, Unit};
use plugin_kit::Quantity;
use serde::Serialize;

/// The document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document<'a> {
    nodes: Vec<OfNode<'a>>,
    cluster_totals: Totals,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    #[serde(flatten)]
    shares: OfShares,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_count: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OfNode<'a> {
    name: &'a str,
    #[serde(flatten)]
    shares: OfShares,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pods: Vec<OfPod<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_count: Option<String>,
}

#[derive(Debug, Serialize)]
struct OfPod<'a> {
    name: &'a str,
    namespace: &'a str,
    #[serde(flatten)]
    shares: OfShares,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    containers: Vec<OfContainer<'a>>,
}

#[derive(Debug, Serialize)]
struct OfContainer<'a> {
    name: &'a str,
    #[serde(flatten)]
    shares: OfShares,
}

#[derive(Debug, Serialize)]
struct OfShares {
    cpu: Amounts,
    memory: Amounts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Amounts {
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_percent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits_percent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utilization: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utilization_percent: Option<String>,
}

/// Returns the document.
pub(crate) fn document(capacity: &Capacity, shown: Shown) -> Document<'_> {
    let shares = OfShares::of(&capacity.total, shown);
    Document {
        nodes: capacity.nodes.iter().map(|node| OfNode::of(node, shown)).collect(),
        cluster_totals: Totals { shares, pod_count: counted(capacity.count, shown) },
    }
}

fn counted(count: Count, shown: Shown) -> Option<String> {
    shown.count.then(|| count.to_string())
}

impl<'a> OfNode<'a> {
    fn of(node: &'a Node, shown: Shown) -> Self {
        let pods = node.pods.iter().filter(|_| shown.pods).map(|pod| OfPod::of(pod, shown));
        Self {
            name: &node.name,
            shares: OfShares::of(&node.shares, shown),
            pods: pods.collect(),
            pod_count: counted(node.count, shown),
        }
    }
}

impl<'a> OfPod<'a> {
    fn of(pod: &'a Pod, shown: Shown) -> Self {
        let of = |container: &'a Container| OfContainer {
            name: &container.name,
            shares: OfShares::of(&container.shares, shown),
        };
        Self {
            name: &pod.name,
            namespace: &pod.namespace,
            shares: OfShares::of(&pod.shares, shown),
            containers: pod.containers.iter().filter(|_| shown.containers).map(of).collect(),
        }
    }
}

impl OfShares {
    fn of(shares: &Shares, shown: Shown) -> Self {
        let amounts = |unit, share| Amounts::of(unit, share, shown);
        Self { cpu: amounts(Unit::Cpu, &shares.cpu), memory: amounts(Unit::Memory, &shares.memory) }
    }
}

impl Amounts {
    fn of(unit: Unit, share: &Share, shown: Shown) -> Self {
        let text = |is: bool, amount: Quantity| is.then(|| unit.text(amount));
        let part = |amount| format!("{}%", figures::percent(amount, share.allocatable));
        let percent = |is: bool, amount: Quantity| is.then(|| part(amount));
        Self {
            requests: text(shown.requests, share.request),
            requests_percent: percent(shown.requests, share.request),
            limits: text(shown.limits, share.limit),
            limits_percent: percent(shown.limits, share.limit),
            utilization: text(shown.used, share.used),
            utilization_percent: percent(shown.used, share.used),
        }
    }
}
