//! What is removed of any object.

use crate::defaults;
use plugin_kit::Failure;
use serde_json::{Map, Value};

/// The annotation in which kubectl keeps what it applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The metadata that stays.
const METADATA: [&str; 4] = ["annotations", "labels", "name", "namespace"];

/// Groups of the server's own resources, in which what is empty says nothing.
const BUILT_IN: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Removes from an object, or from each of a list, what the cluster added.
pub(crate) fn neat(document: &mut Value) -> Result<(), Failure> {
    let Value::Object(object) = document else {
        return Err(Failure::message("not an object of Kubernetes: neither an object nor a list of them"));
    };
    let kind = text(object, "kind").to_owned();
    if let Some(Value::Array(items)) = object.get_mut("items").filter(|_| kind.ends_with("List")) {
        // What is no object stays as it is.
        for item in items {
            drop(neat(item));
        }
        neat_metadata(object);
        return Ok(());
    }
    defaults::remove(object);
    if let Some(Value::Object(spec)) = object.get_mut("spec") {
        spec.remove("nodeName");
        if kind == "Pod" {
            neat_service_account(spec);
        }
    }
    neat_metadata(object);
    object.remove("status");
    let group = text(object, "apiVersion").split_once('/').map_or("", |(group, _)| group).to_owned();
    if BUILT_IN.contains(&group.as_str()) {
        remove_empty(object);
    } else {
        remove_if_empty(object, "metadata");
    }
    Ok(())
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn neat_metadata(object: &mut Map<String, Value>) {
    let mut metadata = match object.remove("metadata") {
        Some(Value::Object(metadata)) => metadata,
        _ => Map::new(),
    };
    metadata.retain(|name, _| METADATA.contains(&name.as_str()));
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
    }
    remove_if_empty(&mut metadata, "annotations");
    remove_if_empty(&mut metadata, "labels");
    object.insert("metadata".to_owned(), Value::Object(metadata));
}

/// Removes the token that the service account's admission mounted before Kubernetes 1.21.
fn neat_service_account(spec: &mut Map<String, Value>) {
    let is_token = |value: &Value| {
        value.get("name").and_then(Value::as_str).is_some_and(|name| name.starts_with("default-token-"))
    };
    let remove = |list: Option<&mut Value>| {
        if let Some(Value::Array(list)) = list {
            list.retain(|item| !is_token(item));
        }
    };
    remove(spec.get_mut("volumes"));
    if let Some(Value::Array(containers)) = spec.get_mut("containers") {
        for container in containers {
            remove(container.get_mut("volumeMounts"));
        }
    }
    // An old name of serviceAccountName.
    spec.remove("serviceAccount");
}

/// Removes what is empty, and what becomes empty by that. An empty selector stays, since it selects everything, and so does an
/// empty item of a list, such as the rule of a network policy that allows everything.
fn remove_empty(object: &mut Map<String, Value>) {
    for value in object.values_mut() {
        descend(value);
    }
    object.retain(|name, value| !is_empty(value) || name.ends_with("elector"));
}

fn descend(value: &mut Value) {
    match value {
        Value::Object(object) => remove_empty(object),
        Value::Array(items) => items.iter_mut().for_each(descend),
        _ => {}
    }
}

fn remove_if_empty(object: &mut Map<String, Value>, name: &str) {
    if object.get(name).is_some_and(is_empty) {
        object.remove(name);
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn neated(mut value: Value) -> Value {
        neat(&mut value).unwrap();
        value
    }

    #[test]
    fn only_what_people_write_is_left_of_the_metadata() {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "status": {"replicas": 1}, "metadata": {
            "name": "web", "namespace": "shop", "uid": "1", "generation": 2, "managedFields": [], "labels": {},
            "annotations": {LAST_APPLIED: "{}"}, "ownerReferences": [{"name": "x"}]}, "spec": {"replicas": 1}});
        let expected = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 1}});
        assert_eq!(neated(object), expected);
    }

    #[test]
    fn a_list_has_each_of_its_objects_neat() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "uid": "1"}, "spec": {"nodeName": "n",
            "serviceAccount": "x"}, "status": {}});
        let list = json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": [pod, 7]});
        let expected = json!({"apiVersion": "v1", "kind": "List", "metadata": {},
            "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}, 7]});
        assert_eq!(neated(list), expected);
    }

    #[test]
    fn the_old_token_of_the_service_account_is_removed() {
        let pod = json!({"kind": "Pod", "apiVersion": "v1", "spec": {
            "volumes": [{"name": "default-token-1"}, {"name": "default-token-2"}, {"name": "data"}],
            "containers": [{"name": "a", "volumeMounts": [{"name": "default-token-1"}]}]}});
        let expected = json!({"volumes": [{"name": "data"}], "containers": [{"name": "a"}]});
        assert_eq!(neated(pod)["spec"], expected);
    }

    #[test]
    fn what_is_empty_goes_unless_it_says_something() {
        let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {"podSelector": {},
            "ingress": [{}], "egress": [], "x": {"y": {"z": []}}, "text": "", "nothing": null}});
        let expected = json!({"podSelector": {}, "ingress": [{}], "text": "", "nothing": null});
        assert_eq!(neated(policy)["spec"], expected);
        let issuer = json!({"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": {"labels": {}}, "spec": {"selfSigned": {}}});
        let expected =
            json!({"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "spec": {"selfSigned": {}}});
        assert_eq!(neated(issuer), expected);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for odd in [json!(null), json!(1), json!([{}])] {
            assert!(neat(&mut odd.clone()).is_err(), "{odd}");
        }
        assert_eq!(neated(json!({"metadata": 7, "spec": [], "kind": 1})), json!({"kind": 1}));
    }
}
