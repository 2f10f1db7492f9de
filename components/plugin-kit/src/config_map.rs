//! Settings that are kept in the cluster.

use crate::{Arguments, Explain, Failure, Flag};
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

/// Returns the settings of a server: the value of the flag `text`, or else the key of the `ConfigMap` that the flag `map` names. It is
/// read at each call, so that its changes are in force at once.
///
/// # Errors
/// If none of the flags is given, or both are; and what [`config_map`] says.
pub fn settings(arguments: &Arguments, text: &Flag, map: &Flag, key: &str) -> Result<String, Failure> {
    match (arguments.value(text), arguments.value(map)) {
        (Some(text), None) => Ok(text.to_owned()),
        (None, Some(map)) => config_map(map, key),
        _ => Err(Failure::usage(format!("one of --{} and --{} is needed", text.long, map.long))),
    }
}
