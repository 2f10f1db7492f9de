//! The defaults of the core group (`k8s.io/kubernetes`, `pkg/apis/core/v1`, `SetDefaults_*`): what the server would set if it
//! were not there.

use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// Kinds of the core group that have a `spec`.
const KINDS: &[&str] = &[
    "LimitRange",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "ReplicationController",
    "ResourceQuota",
    "Service",
];

/// Fields in which an empty text is not the same as none: maps with names that people choose, and the class that means "none".
const MEANINGFUL: &[&str] = &[
    "annotations",
    "labels",
    "matchLabels",
    "nodeSelector",
    "options",
    "selector",
    "storageClassName",
    "volumeAttributes",
];

/// Removes what has its default from the `spec` of an object of the core group.
pub(crate) fn remove(object: &mut Object) {
    if object.get("apiVersion").and_then(Value::as_str) != Some("v1") {
        return;
    }
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(Value::Object(spec)) = object.get_mut("spec").filter(|_| KINDS.contains(&kind.as_str())) else {
        return;
    };
    match kind.as_str() {
        "LimitRange" => each(spec, "limits", limit),
        "PersistentVolume" => {
            unless(spec, "persistentVolumeReclaimPolicy", "Retain");
            unless(spec, "volumeMode", "Filesystem");
            volume(spec);
        }
        "PersistentVolumeClaim" => unless(spec, "volumeMode", "Filesystem"),
        "Pod" => pod(spec, true),
        "ReplicationController" => controller(spec),
        "Service" => service(spec),
        _ => {}
    }
    remove_empty_texts(spec);
}

/// Removes a field that has its default.
fn unless(object: &mut Object, name: &str, default: impl Into<Value>) {
    if object.get(name) == Some(&default.into()) {
        object.remove(name);
    }
}

fn inside(object: &mut Object, name: &str, change: impl FnOnce(&mut Object)) {
    if let Some(Value::Object(inner)) = object.get_mut(name) {
        change(inner);
    }
}

fn each(object: &mut Object, name: &str, change: impl Fn(&mut Object)) {
    if let Some(Value::Array(items)) = object.get_mut(name) {
        items.iter_mut().filter_map(Value::as_object_mut).for_each(change);
    }
}

/// Removes from a pod's `spec`, or that of a template, for which the server sets less.
fn pod(spec: &mut Object, is_pod: bool) {
    unless(spec, "dnsPolicy", "ClusterFirst");
    unless(spec, "restartPolicy", "Always");
    unless(spec, "schedulerName", "default-scheduler");
    unless(spec, "terminationGracePeriodSeconds", 30);
    let host_ports = is_pod && spec.get("hostNetwork") == Some(&json!(true));
    if is_pod {
        unless(spec, "enableServiceLinks", true);
    }
    each(spec, "volumes", volume);
    for name in ["containers", "initContainers"] {
        each(spec, name, |one| {
            if is_pod {
                requests(one);
            }
            if host_ports {
                each(one, "ports", |port| like(port, "hostPort", "containerPort"));
            }
            container(one);
        });
    }
    each(spec, "ephemeralContainers", container);
}

/// Removes a field that is the same as another one, which is its default.
fn like(object: &mut Object, name: &str, other: &str) {
    if object.get(name).is_some_and(|value| object.get(other) == Some(value)) {
        object.remove(name);
    }
}

/// Removes requests that are the same as the limits.
fn requests(container: &mut Object) {
    inside(container, "resources", |resources| {
        let limits = resources.get("limits").and_then(Value::as_object).cloned().unwrap_or_default();
        inside(resources, "requests", |requests| {
            requests.retain(|name, value| limits.get(name) != Some(value));
        });
    });
}

fn container(container: &mut Object) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = if is_latest(image) { "Always" } else { "IfNotPresent" };
    unless(container, "imagePullPolicy", policy);
    unless(container, "terminationMessagePath", "/dev/termination-log");
    unless(container, "terminationMessagePolicy", "File");
    each(container, "ports", |port| unless(port, "protocol", "TCP"));
    each(container, "env", |variable| {
        inside(variable, "valueFrom", field_ref);
    });
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        inside(container, name, |probe| {
            unless(probe, "failureThreshold", 3);
            unless(probe, "periodSeconds", 10);
            unless(probe, "successThreshold", 1);
            unless(probe, "timeoutSeconds", 1);
            inside(probe, "httpGet", http_get);
        });
    }
    inside(container, "lifecycle", |lifecycle| {
        for name in ["postStart", "preStop"] {
            inside(lifecycle, name, |hook| inside(hook, "httpGet", http_get));
        }
    });
}

/// Returns whether an image's tag is `latest`, which it is too if it has neither a tag nor a digest.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => digest.is_none() && !image.is_empty(),
    }
}

fn http_get(action: &mut Object) {
    unless(action, "path", "/");
    unless(action, "scheme", "HTTP");
}

fn field_ref(source: &mut Object) {
    inside(source, "fieldRef", |field| unless(field, "apiVersion", "v1"));
}

/// Removes from a volume, or a persistent volume's `spec`.
fn volume(volume: &mut Object) {
    for name in ["configMap", "downwardAPI", "projected", "secret"] {
        inside(volume, name, |source| unless(source, "defaultMode", 0o644));
    }
    inside(volume, "downwardAPI", |source| each(source, "items", field_ref));
    inside(volume, "projected", |projected| {
        each(projected, "sources", |source| {
            inside(source, "downwardAPI", |source| each(source, "items", field_ref));
            inside(source, "serviceAccountToken", |token| unless(token, "expirationSeconds", 3600));
        });
    });
    inside(volume, "ephemeral", |ephemeral| {
        inside(ephemeral, "volumeClaimTemplate", |claim| {
            inside(claim, "spec", |spec| unless(spec, "volumeMode", "Filesystem"));
        });
    });
    inside(volume, "iscsi", |source| {
        unless(source, "iscsiInterface", "default");
        unless(source, "lun", 0);
    });
    inside(volume, "rbd", |source| {
        unless(source, "keyring", "/etc/ceph/keyring");
        unless(source, "pool", "rbd");
        unless(source, "user", "admin");
    });
    inside(volume, "azureDisk", |source| {
        unless(source, "cachingMode", "ReadWrite");
        unless(source, "fsType", "ext4");
        unless(source, "kind", "Shared");
        unless(source, "readOnly", false);
    });
    inside(volume, "scaleIO", |source| {
        unless(source, "fsType", "xfs");
        unless(source, "storageMode", "ThinProvisioned");
    });
}

fn service(spec: &mut Object) {
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or("ClusterIP").to_owned();
    let is_balanced = kind == "LoadBalancer";
    let outside =
        spec.get("externalIPs").and_then(Value::as_array).is_some_and(|addresses| !addresses.is_empty());
    unless(spec, "type", "ClusterIP");
    unless(spec, "sessionAffinity", "None");
    inside(spec, "sessionAffinityConfig", |config| {
        inside(config, "clientIP", |client| unless(client, "timeoutSeconds", 10_800));
    });
    if is_balanced || kind == "NodePort" || (kind == "ClusterIP" && outside) {
        unless(spec, "externalTrafficPolicy", "Cluster");
    }
    if kind != "ExternalName" {
        unless(spec, "internalTrafficPolicy", "Cluster");
    }
    if is_balanced {
        unless(spec, "allocateLoadBalancerNodePorts", true);
    }
    each(spec, "ports", |port| {
        unless(port, "protocol", "TCP");
        like(port, "targetPort", "port");
    });
}

fn controller(spec: &mut Object) {
    unless(spec, "replicas", 1);
    // Only a selector that would be empty without it is made of the template's labels.
    let labels = spec.get("template").and_then(|template| template.pointer("/metadata/labels"));
    let is_default = spec.get("selector").and_then(Value::as_object).is_some_and(|selector| {
        selector.len() == 1
            && selector.iter().all(|(name, value)| labels.and_then(|labels| labels.get(name)) == Some(value))
    });
    if is_default {
        spec.remove("selector");
    }
    inside(spec, "template", |template| inside(template, "spec", |spec| pod(spec, false)));
}

/// Removes from a limit of a limit range: the default is the maximum, the default request is the default or else the minimum.
fn limit(item: &mut Object) {
    if item.get("type").and_then(Value::as_str) != Some("Container") {
        return;
    }
    let quantities = |name: &str| item.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let (least, most, default) = (quantities("min"), quantities("max"), quantities("default"));
    inside(item, "defaultRequest", |requests| {
        let origin =
            |name: &str| default.get(name).or_else(|| most.get(name)).or_else(|| least.get(name)).cloned();
        requests.retain(|name, value| origin(name).as_ref() != Some(value));
    });
    inside(item, "default", |default| default.retain(|name, value| most.get(name) != Some(value)));
}

/// Removes fields with empty texts, which are the same as none.
fn remove_empty_texts(object: &mut Object) {
    object.retain(|name, value| MEANINGFUL.contains(&name.as_str()) || value.as_str() != Some(""));
    for (name, value) in object.iter_mut() {
        match value {
            Value::Object(inner) if !MEANINGFUL.contains(&name.as_str()) => remove_empty_texts(inner),
            Value::Array(items) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(remove_empty_texts);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec_of(kind: &str, spec: impl Into<Value>) -> Value {
        let mut object = json!({"apiVersion": "v1", "kind": kind, "spec": spec.into()});
        remove(object.as_object_mut().unwrap());
        object["spec"].take()
    }

    #[test]
    fn a_pod_as_the_server_completes_it_is_as_it_was() {
        let spec = json!({"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "terminationGracePeriodSeconds": 30, "enableServiceLinks": true, "hostNetwork": true, "priority": 0,
            "volumes": [{"name": "a", "hostPath": {"path": "/", "type": ""}}, {"name": "b", "secret": {"defaultMode": 420}},
                {"name": "c", "projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": {"expirationSeconds": 3607}}]}}],
            "containers": [{"name": "a", "image": "i:1", "imagePullPolicy": "IfNotPresent", "terminationMessagePolicy": "File",
                "terminationMessagePath": "/dev/termination-log", "args": ["", "x", "x"],
                "ports": [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Mi"}},
                "livenessProbe": {"failureThreshold": 3, "periodSeconds": 5, "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}},
                "env": [{"name": "E", "value": ""}, {"name": "F", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "x"}}}]}]});
        let expected = json!({"hostNetwork": true, "priority": 0,
            "volumes": [{"name": "a", "hostPath": {"path": "/"}}, {"name": "b", "secret": {}},
                {"name": "c", "projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3607}}]}}],
            "containers": [{"name": "a", "image": "i:1", "args": ["", "x", "x"], "ports": [{"containerPort": 80}],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"memory": "1Mi"}},
                "livenessProbe": {"periodSeconds": 5, "httpGet": {"port": 80}},
                "env": [{"name": "E"}, {"name": "F", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}]});
        assert_eq!(spec_of("Pod", spec), expected);
    }

    #[test]
    fn the_pull_policy_depends_on_the_tag() {
        for (image, latest) in [
            ("web", true),
            ("web:latest", true),
            ("registry.example:5000/web", true),
            ("web:1", false),
            ("web@sha256:0", false),
            ("web:latest@sha256:0", true),
            ("", false),
        ] {
            assert_eq!(is_latest(image), latest, "{image}");
        }
    }

    #[test]
    fn a_service_keeps_what_its_type_does_not_imply() {
        let spec = json!({"type": "NodePort", "sessionAffinity": "None", "externalTrafficPolicy": "Cluster",
            "internalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": true, "selector": {"a": ""},
            "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}, {"port": 53, "targetPort": "dns", "protocol": "UDP"}]});
        let expected = json!({"type": "NodePort", "internalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": true,
            "selector": {"a": ""}, "ports": [{"port": 80}, {"port": 53, "targetPort": "dns", "protocol": "UDP"}]});
        assert_eq!(spec_of("Service", spec), expected);
        assert_eq!(
            spec_of("Service", json!({"type": "ClusterIP", "externalTrafficPolicy": "Cluster"})),
            json!({"externalTrafficPolicy": "Cluster"})
        );
    }

    #[test]
    fn volumes_and_limits_have_defaults_too() {
        assert_eq!(
            spec_of("PersistentVolumeClaim", json!({"volumeMode": "Filesystem", "storageClassName": ""})),
            json!({"storageClassName": ""})
        );
        let spec = json!({"volumeMode": "Block", "persistentVolumeReclaimPolicy": "Retain", "rbd": {"pool": "rbd", "image": "x"}});
        assert_eq!(spec_of("PersistentVolume", spec), json!({"volumeMode": "Block", "rbd": {"image": "x"}}));
        let spec = json!({"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1"}, "default": {"cpu": "2"},
            "defaultRequest": {"cpu": "2", "memory": "1"}}, {"type": "Pod", "max": {"cpu": "2"}, "default": {"cpu": "2"}}]});
        let expected = json!({"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1"}, "default": {},
            "defaultRequest": {}}, {"type": "Pod", "max": {"cpu": "2"}, "default": {"cpu": "2"}}]});
        assert_eq!(spec_of("LimitRange", spec), expected);
    }

    #[test]
    fn a_controller_selects_by_its_templates_labels() {
        let template =
            json!({"metadata": {"labels": {"app": "a", "b": "c"}}, "spec": {"dnsPolicy": "ClusterFirst"}});
        let spec = |selector: Value| json!({"replicas": 1, "selector": selector, "template": template});
        assert_eq!(spec_of("ReplicationController", spec(json!({"app": "a"})))["selector"], Value::Null);
        let both = json!({"app": "a", "b": "c"});
        assert_eq!(spec_of("ReplicationController", spec(both.clone()))["selector"], both);
        assert_eq!(spec_of("ReplicationController", spec(both))["template"]["spec"], json!({}));
    }

    #[test]
    fn other_groups_and_odd_objects_stay_as_they_are() {
        let spec = json!({"template": {"spec": {"dnsPolicy": "ClusterFirst"}}, "x": ""});
        let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec});
        let before = object.clone();
        remove(object.as_object_mut().unwrap());
        assert_eq!(object, before);
        assert_eq!(
            spec_of("Pod", json!({"containers": {"a": 1}, "volumes": [7]})),
            json!({"containers": {"a": 1}, "volumes": [7]})
        );
        assert_eq!(spec_of("Pod", json!(["a"])), json!(["a"]));
    }
}
