//! Which objects are meant: of one namespace, or of all.

use crate::{Arguments, Flag, Value};
use kube_guest::Cluster;

/// `-n, --namespace`.
pub static NAMESPACE: Flag = Flag {
    long: "namespace",
    short: Some('n'),
    value: Value::Namespace,
    help: "the namespace [default: the context's]",
};

/// `-A, --all-namespaces`.
pub static ALL_NAMESPACES: Flag = Flag::switch("all-namespaces", Some('A'), "all namespaces");

/// `-l, --selector`.
pub static SELECTOR: Flag =
    Flag::text("selector", Some('l'), "SELECTOR", "only objects with these labels, such as app=web");

/// The namespaces whose objects are meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// One.
    Namespace(String),
    /// All.
    All,
}

impl Scope {
    /// Returns what `-n` and `-A` select. As in kubectl, `-A` wins.
    #[must_use]
    pub fn of(arguments: &Arguments, cluster: &Cluster) -> Self {
        if arguments.has(&ALL_NAMESPACES) {
            return Self::All;
        }
        let named = arguments.value(&NAMESPACE).filter(|namespace| !namespace.is_empty());
        Self::Namespace(named.unwrap_or(cluster.namespace()).to_owned())
    }

    /// Returns the namespace; `None` means all.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Namespace(name) => Some(name),
            Self::All => None,
        }
    }

    /// Returns words for it, such as "namespace `shop`".
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Namespace(name) => format!("namespace `{}`", kube_guest::for_terminal_line(name)),
            Self::All => "the cluster".to_owned(),
        }
    }
}
