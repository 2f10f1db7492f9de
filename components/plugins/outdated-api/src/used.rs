//! The judging: which objects were written by which outdated APIs.

use crate::lifecycle::{Api, Lifecycle};
use crate::object::Object;
use serde::Serialize;
use std::collections::BTreeMap;

/// What wrote an object, where its manifest says so itself.
const APPLIED: &str = "last-applied-configuration";

/// An object that was written by an outdated API.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Used {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) namespace: String,
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) api: Api,
    /// Who wrote it by this API.
    pub(crate) by: Vec<String>,
}

/// Returns the outdated APIs by which an object of a kind was written, in a line for each.
pub(crate) fn judge(lifecycle: &Lifecycle, kind: &str, object: &Object) -> Vec<Used> {
    let metadata = &object.metadata;
    let mut found: BTreeMap<&str, Used> = BTreeMap::new();
    let mut add = |api: Api, by: &str| {
        let used = found.entry(api.version).or_insert_with(|| Used {
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            api,
            by: Vec::new(),
        });
        if !used.by.iter().any(|known| known == by) {
            used.by.push(by.to_owned());
        }
    };
    for manager in metadata.managed_fields.iter().flatten() {
        let api_version = manager.api_version.as_deref().unwrap_or_default();
        if let Some(api) = lifecycle.of(api_version, kind) {
            add(api, manager.manager.as_deref().unwrap_or("unknown"));
        }
    }
    if let Some(head) = metadata.applied()
        && let Some(api) = lifecycle.of(&head.api_version, &head.kind)
    {
        add(api, APPLIED);
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{Horizon, Version};

    fn judged(kind: &str, metadata: &str) -> Vec<(String, String)> {
        let object: Object = serde_json::from_str(&format!(r#"{{"metadata": {metadata}}}"#)).unwrap();
        let lifecycle = Lifecycle::within(Horizon::Deprecated(Version::parse("1.36").unwrap()));
        let used = judge(&lifecycle, kind, &object);
        used.into_iter().map(|used| (used.api.version.to_owned(), used.by.join(", "))).collect()
    }

    #[test]
    fn each_writer_counts_by_the_api_that_it_used() {
        let metadata = r#"{"name": "web", "managedFields": [
            {"manager": "helm", "apiVersion": "autoscaling/v2beta2", "fieldsV1": {"f:spec": {}}},
            {"manager": "argo", "apiVersion": "autoscaling/v2beta2"}, {"manager": "argo", "apiVersion": "autoscaling/v2beta2"},
            {"manager": "kubectl", "apiVersion": "autoscaling/v2beta1"}, {"manager": "controller", "apiVersion": "autoscaling/v2"}]}"#;
        assert_eq!(
            judged("HorizontalPodAutoscaler", metadata),
            [
                ("autoscaling/v2beta1".into(), "kubectl".into()),
                ("autoscaling/v2beta2".into(), "helm, argo".into())
            ]
        );
        assert!(judged("Deployment", metadata).is_empty(), "of another kind");
    }

    #[test]
    fn the_manifest_that_was_applied_counts_too() {
        let metadata = r#"{"annotations": {"other": "x", "kubectl.kubernetes.io/last-applied-configuration":
            "{\"apiVersion\":\"extensions/v1beta1\",\"kind\":\"Ingress\",\"spec\":{}}\n"}, "managedFields": null}"#;
        assert_eq!(judged("Ingress", metadata), [("extensions/v1beta1".into(), APPLIED.into())]);
        let current = metadata.replace("extensions/v1beta1", "networking.k8s.io/v1");
        assert!(judged("Ingress", &current).is_empty());
    }

    #[test]
    fn odd_metadata_says_nothing() {
        for metadata in [
            "{}",
            r#"{"managedFields": [{}, {"apiVersion": null}], "annotations": null}"#,
            r#"{"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "no json"}}"#,
        ] {
            assert!(judged("Ingress", metadata).is_empty(), "{metadata}");
        }
    }
}
