//! The paths of the pods that are meant.

use crate::options::{Options, Query};
use kube_guest::{Cluster, Path, for_terminal_line};
use plugin_kit::{Explain, Failure};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The kinds that select pods: their names, the first of which is the resource, and their API.
const KINDS: [(&[&str], &[&str]); 7] = [
    (&["deployments", "deployment", "deploy"], &["apis", "apps", "v1"]),
    (&["statefulsets", "statefulset", "sts"], &["apis", "apps", "v1"]),
    (&["daemonsets", "daemonset", "ds"], &["apis", "apps", "v1"]),
    (&["replicasets", "replicaset", "rs"], &["apis", "apps", "v1"]),
    (&["jobs", "job"], &["apis", "batch", "v1"]),
    (&["services", "service", "svc"], &["api", "v1"]),
    (&["replicationcontrollers", "replicationcontroller", "rc"], &["api", "v1"]),
];

const PODS: [&str; 3] = ["pods", "pod", "po"];

/// An object that selects pods.
#[derive(Deserialize)]
struct Owner {
    spec: Option<Spec>,
}

#[derive(Deserialize)]
struct Spec {
    selector: Option<Selector>,
}

/// A selector: labels alone, or `metav1.LabelSelector`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Selector {
    Labels(BTreeMap<String, String>),
    Full(Full),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Full {
    match_labels: Option<BTreeMap<String, String>>,
    match_expressions: Option<Vec<Requirement>>,
}

#[derive(Deserialize)]
struct Requirement {
    key: String,
    operator: String,
    values: Option<Vec<String>>,
}

/// Returns the paths of the lists of pods, one for each namespace.
pub(crate) fn paths(cluster: &Cluster, options: &Options) -> Result<Vec<Path>, Failure> {
    let (mut labels, mut fields) = (Vec::new(), options.fields.clone());
    labels.extend(options.selector.clone());
    if let Query::Of { kind, name } = &options.query {
        let [namespace] = &options.namespaces[..] else {
            return Err(Failure::usage(format!("{kind}/{name}: is in one namespace")));
        };
        match kind.to_lowercase().as_str() {
            kind if PODS.contains(&kind) => fields.push(format!("metadata.name={name}")),
            kind => labels.push(of_owner(cluster, namespace, kind, name)?),
        }
    }
    let path = |namespace: Option<&String>| {
        let segments = match namespace {
            Some(namespace) => Path::new(["api", "v1", "namespaces", namespace, "pods"])?,
            None => Path::new(["api", "v1", "pods"])?,
        };
        let queries = [("labelSelector", labels.join(",")), ("fieldSelector", fields.join(","))];
        let queries = queries.iter().filter(|(_, value)| !value.is_empty());
        Ok(queries.fold(segments, |path, (name, value)| path.query(name, value)))
    };
    if options.namespaces.is_empty() {
        return Ok(vec![path(None)?]);
    }
    options.namespaces.iter().map(|namespace| path(Some(namespace))).collect()
}

fn of_owner(cluster: &Cluster, namespace: &str, kind: &str, name: &str) -> Result<String, Failure> {
    let Some((names, api)) = KINDS.iter().find(|(names, _)| names.contains(&kind)) else {
        let known: Vec<&str> = KINDS.iter().map(|(names, _)| names[1]).collect();
        let known = known.join(", ");
        return Err(Failure::usage(format!("{}: none of pod, {known}", for_terminal_line(kind))));
    };
    let path = Path::new(api.iter().copied().chain(["namespaces", namespace, names[0], name]))?;
    let what = format!("{}/{}", names[1], for_terminal_line(name));
    let owner: Owner = cluster.get_json(path).of(&what)?;
    let selector = owner.spec.and_then(|spec| spec.selector).map(Selector::into_text).unwrap_or_default();
    if selector.is_empty() {
        return Err(Failure::message(format!("{what}: selects no pods")));
    }
    Ok(selector)
}

impl Selector {
    /// Returns the selector as the API's queries have it.
    fn into_text(self) -> String {
        let (labels, requirements) = match self {
            Self::Labels(labels) => (labels, Vec::new()),
            Self::Full(full) => {
                (full.match_labels.unwrap_or_default(), full.match_expressions.unwrap_or_default())
            }
        };
        let labels = labels.into_iter().map(|(key, value)| format!("{key}={value}"));
        labels.chain(requirements.into_iter().map(Requirement::into_text)).collect::<Vec<_>>().join(",")
    }
}

impl Requirement {
    fn into_text(self) -> String {
        let values = self.values.unwrap_or_default().join(",");
        match self.operator.as_str() {
            "In" => format!("{} in ({values})", self.key),
            "NotIn" => format!("{} notin ({values})", self.key),
            "DoesNotExist" => format!("!{}", self.key),
            _ => self.key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(selector: serde_json::Value) -> String {
        serde_json::from_value::<Selector>(selector).unwrap().into_text()
    }

    #[test]
    fn a_selector_is_written_as_a_query() {
        assert_eq!(text(json!({"app": "web", "tier": "x"})), "app=web,tier=x");
        assert_eq!(text(json!({"matchLabels": {"app": "web"}})), "app=web");
        let expressions = json!([
            {"key": "a", "operator": "In", "values": ["1", "2"]}, {"key": "b", "operator": "NotIn", "values": ["3"]},
            {"key": "c", "operator": "Exists"}, {"key": "d", "operator": "DoesNotExist", "values": null},
        ]);
        let all = json!({"matchLabels": null, "matchExpressions": expressions});
        assert_eq!(text(all), "a in (1,2),b notin (3),c,!d");
        assert_eq!(text(json!({})), "");
    }
}
