//! The order of nodes, pods and containers.

use crate::capacity::{Capacity, Share, Shares};
use crate::figures;
use plugin_kit::Quantity;
use std::cmp::Reverse;

/// What may be sorted by.
pub(crate) const ATTRIBUTES: &[&str] = &[
    "cpu.util",
    "cpu.request",
    "cpu.limit",
    "mem.util",
    "mem.request",
    "mem.limit",
    "cpu.util.percentage",
    "cpu.request.percentage",
    "cpu.limit.percentage",
    "mem.util.percentage",
    "mem.request.percentage",
    "mem.limit.percentage",
    "pod.count",
    "name",
];

/// Sorts by an attribute, the greatest first; equals, and what has no such attribute, by name.
pub(crate) fn sort(capacity: &mut Capacity, by: &str) {
    let key = |shares: &Shares| Reverse(value(by, shares));
    capacity.nodes.sort_by(|one, other| one.name.cmp(&other.name));
    if by == "pod.count" {
        capacity.nodes.sort_by_key(|node| Reverse(node.count.current));
    } else {
        capacity.nodes.sort_by_key(|node| key(&node.shares));
    }
    for pod in capacity.nodes.iter_mut().map(|node| &mut node.pods) {
        pod.sort_by(|one, other| (&one.name, &one.namespace).cmp(&(&other.name, &other.namespace)));
        pod.sort_by_key(|pod| key(&pod.shares));
        for pod in pod {
            pod.containers.sort_by(|one, other| one.name.cmp(&other.name));
            // Containers have no percentage of their own in this order.
            if !by.ends_with(".percentage") {
                pod.containers.sort_by_key(|container| key(&container.shares));
            }
        }
    }
}

fn value(by: &str, shares: &Shares) -> i128 {
    let (resource, rest) = by.split_once('.').unwrap_or_default();
    let share = match resource {
        "cpu" => &shares.cpu,
        "mem" => &shares.memory,
        _ => return 0,
    };
    let (what, percentage) = match rest.split_once('.') {
        Some((what, _)) => (what, true),
        None => (rest, false),
    };
    let amount = amount(what, share);
    if percentage { figures::percent(amount, share.allocatable).into() } else { amount.milli() }
}

fn amount(what: &str, share: &Share) -> Quantity {
    match what {
        "util" => share.used,
        "request" => share.request,
        "limit" => share.limit,
        _ => Quantity::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::{Count, Node};

    fn node(name: &str, cpu: i128, request: i128, pods: i128) -> Node {
        let (allocatable, request) = (Quantity::from_milli(cpu), Quantity::from_milli(request));
        let cpu = Share { allocatable, request, ..Share::default() };
        Node {
            name: name.to_owned(),
            shares: Shares { cpu, ..Shares::default() },
            count: Count { current: pods, allocatable: 0 },
            pods: Vec::new(),
        }
    }

    fn sorted(by: &str) -> String {
        let nodes = vec![node("b", 1000, 100, 1), node("c", 8000, 200, 1), node("a", 1000, 100, 3)];
        let mut capacity = Capacity { nodes, ..Capacity::default() };
        sort(&mut capacity, by);
        capacity.nodes.into_iter().map(|node| node.name).collect()
    }

    #[test]
    fn the_greatest_comes_first_and_equals_by_name() {
        assert_eq!(sorted("name"), "abc");
        assert_eq!(sorted("cpu.request"), "cab");
        assert_eq!(sorted("cpu.request.percentage"), "abc");
        assert_eq!(sorted("pod.count"), "abc");
        assert_eq!(sorted("mem.util"), "abc");
    }

    #[test]
    fn each_attribute_is_known() {
        for by in ATTRIBUTES.iter().filter(|by| by.contains("cpu") || by.contains("mem")) {
            let one = Quantity::from_milli(1);
            let share = Share { allocatable: one, request: one, limit: one, used: one };
            assert_ne!(value(by, &Shares { cpu: share, memory: share }), 0, "{by}");
        }
    }
}
