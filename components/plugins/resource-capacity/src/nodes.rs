//! Nodes.

use plugin_kit::Quantity;
use plugin_kit::requests::{Listed, Named, list};
use serde::Deserialize;

/// A node, as far as it is looked at.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Node {
    #[serde(default)]
    pub(crate) metadata: Named,
    #[serde(default)]
    pub(crate) spec: NodeSpec,
    #[serde(default)]
    pub(crate) status: NodeStatus,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct NodeSpec {
    pub(crate) taints: Option<Vec<Taint>>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Taint {
    #[serde(default)]
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) effect: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct NodeStatus {
    #[serde(default, deserialize_with = "list")]
    pub(crate) allocatable: Listed,
}

impl Node {
    /// Returns the number of pods that may run there.
    pub(crate) fn allocatable_pods(&self) -> i128 {
        self.status.allocatable.pods.map_or(0, Quantity::rounded)
    }
}
