//! Settings that are kept in the cluster.

use crate::{Explain, Failure};
use kube_guest::{Cluster, Path, for_terminal_line};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct ConfigMap {
    data: Option<BTreeMap<String, String>>,
}

/// Reads a key of the `ConfigMap` that a flag names, `NAMESPACE/NAME`.
///
/// # Errors
/// If it has another form, cannot be read, or lacks the key.
pub fn config_map(named: &str, key: &str) -> Result<String, Failure> {
    let what = format!("configmap {}", for_terminal_line(named));
    let Some((namespace, name)) = named.split_once('/') else {
        return Err(Failure::usage(format!("{what}: its namespace is missing, as in policies/{named}")));
    };
    let path = Path::new(["api", "v1", "namespaces", namespace, "configmaps", name])?;
    let map: ConfigMap = Cluster::from_env()?.get_json(path).of(&what)?;
    let text = map.data.unwrap_or_default().remove(key);
    text.ok_or_else(|| Failure::message(format!("{what}: it has no key {key}")))
}
