//! A realistic cluster: 50 namespaces with 2,000 pods, made by controllers, so that owners, events and statuses are real.

use serde_json::{Value, json};

/// The number of namespaces.
pub const NAMESPACES: usize = 50;

/// The number of pods in all of them.
pub const PODS: usize = NAMESPACES * 40;

/// The number of nodes besides `node-1`.
const NODES: usize = 20;

/// The deployments of a namespace, and their replicas. With three pods of a stateful set, two of a job and one that
/// nobody owns these are 40 pods.
const DEPLOYMENTS: [(&str, usize); 3] = [("web", 16), ("api", 10), ("worker", 8)];

/// Returns what has to exist before the rest: the definitions of custom resources, nodes, namespaces, cluster roles.
pub(crate) fn foundations() -> Value {
    let mut items = vec![definition(), priority_class()];
    for number in 0..NODES {
        let labels = json!({"topology.kubernetes.io/zone": format!("zone-{}", number % 3)});
        items.push(object(
            "v1",
            "Node",
            None,
            &format!("worker-{number:02}"),
            json!({"metadata": {"labels": labels}}),
        ));
    }
    for (name, resources, verbs) in [
        ("filled:pod-reader", json!(["pods", "pods/log"]), json!(["get", "list", "watch"])),
        ("filled:secret-reader", json!(["secrets"]), json!(["get", "list"])),
        ("filled:operator", json!(["*"]), json!(["*"])),
    ] {
        let rules = json!([{"apiGroups": [""], "resources": resources, "verbs": verbs}]);
        items.push(object(RBAC, "ClusterRole", None, name, json!({"rules": rules})));
    }
    for (name, role, kind, subject) in [
        ("filled:auditors", "view", "Group", "auditors"),
        ("filled:sre", "filled:operator", "Group", "sre"),
        ("filled:eve", "filled:secret-reader", "User", "eve"),
    ] {
        let body = json!({"roleRef": role_ref("ClusterRole", role), "subjects": [subject_of(kind, subject)]});
        items.push(object(RBAC, "ClusterRoleBinding", None, name, body));
    }
    for number in 0..NAMESPACES {
        let labels = json!({"team": format!("team-{}", number % 7), "pod-security.kubernetes.io/enforce": "privileged"});
        items.push(object(
            "v1",
            "Namespace",
            None,
            &namespace(number),
            json!({"metadata": {"labels": labels}}),
        ));
    }
    list(&items)
}

/// Returns what is in the namespaces.
pub(crate) fn contents() -> Value {
    list(&(0..NAMESPACES).flat_map(of_namespace).collect::<Vec<_>>())
}

/// Returns the name of a namespace, such as `filled-07`.
#[must_use]
pub fn namespace(number: usize) -> String {
    format!("filled-{number:02}")
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";

fn of_namespace(number: usize) -> Vec<Value> {
    let namespace = namespace(number);
    let namespace = Some(namespace.as_str());
    let mut items = vec![
        object(
            "v1",
            "ServiceAccount",
            namespace,
            "runner",
            json!({"imagePullSecrets": [{"name": "registry"}]}),
        ),
        object(
            "v1",
            "ConfigMap",
            namespace,
            "settings",
            json!({"data": {"mode": "fast", "text": "one\ntwo\n"}}),
        ),
        secret(namespace, "login", "Opaque", &json!({"user": "admin", "password": "correct horse"})),
        secret(
            namespace,
            "registry",
            "kubernetes.io/dockerconfigjson",
            &json!({".dockerconfigjson":
            r#"{"auths":{"registry.example":{"username":"robot","password":"p","auth":"cm9ib3Q6cA=="}}}"#}),
        ),
        object("example.com/v1", "Parcel", namespace, "parcel", json!({"spec": {"weight": number}})),
    ];
    for (name, replicas) in DEPLOYMENTS {
        let spec =
            json!({"replicas": replicas, "selector": selector(name), "template": template(number, name)});
        items.push(object("apps/v1", "Deployment", namespace, name, json!({"spec": spec})));
        let spec = json!({"selector": {"app": name}, "ports": [{"port": 80}], "clusterIP": "None"});
        items.push(object("v1", "Service", namespace, name, json!({"spec": spec})));
    }
    let spec = json!({"replicas": 3, "serviceName": "db", "podManagementPolicy": "Parallel",
        "selector": selector("db"), "template": template(number, "db")});
    items.push(object("apps/v1", "StatefulSet", namespace, "db", json!({"spec": spec})));
    let mut once = template(number, "once");
    once["spec"]["restartPolicy"] = json!("Never");
    let spec = json!({"parallelism": 2, "completions": 2, "template": once});
    items.push(object("batch/v1", "Job", namespace, "once", json!({"spec": spec})));
    let spec = json!({"schedule": "0 3 1 1 *", "jobTemplate": {"spec": {"template": once}}});
    items.push(object("batch/v1", "CronJob", namespace, "yearly", json!({"spec": spec})));
    items.push(object("v1", "Pod", namespace, "alone", risky(number)));
    items.extend(limits(number, namespace));
    items.extend(permissions(number, namespace));
    items
}

/// Returns quotas, network policies and what else half of the namespaces have.
fn limits(number: usize, namespace: Option<&str>) -> Vec<Value> {
    let spec = json!({"maxReplicas": 20, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}});
    let scaler = object("autoscaling/v2", "HorizontalPodAutoscaler", namespace, "web", json!({"spec": spec}));
    let spec = json!({"minAvailable": 1, "selector": selector("web")});
    let budget = object("policy/v1", "PodDisruptionBudget", namespace, "web", json!({"spec": spec}));
    let mut items = vec![scaler, budget];
    if number.is_multiple_of(2) {
        // Not of requests: pods of which a container has none would be refused, unless they are there before the quota is.
        let spec = json!({"hard": {"pods": "100"}});
        items.push(object("v1", "ResourceQuota", namespace, "quota", json!({"spec": spec})));
        let spec = json!({"podSelector": {}, "policyTypes": ["Ingress"]});
        items.push(object("networking.k8s.io/v1", "NetworkPolicy", namespace, "deny", json!({"spec": spec})));
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        items.push(object(
            "networking.k8s.io/v1",
            "Ingress",
            namespace,
            "web",
            json!({"spec": {"defaultBackend": backend}}),
        ));
    }
    items
}

fn permissions(number: usize, namespace: Option<&str>) -> Vec<Value> {
    let rules = json!([
        {"apiGroups": [""], "resources": ["pods", "configmaps"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "patch"], "resourceNames": ["web"]},
    ]);
    let account = json!({"kind": "ServiceAccount", "name": "runner", "namespace": namespace});
    let developer = subject_of("User", &format!("developer-{}", number % 9));
    let binding = |name: &str, role: Value, subjects: Value| {
        object(RBAC, "RoleBinding", namespace, name, json!({"roleRef": role, "subjects": subjects}))
    };
    vec![
        object(RBAC, "Role", namespace, "runner", json!({"rules": rules})),
        binding("runner", role_ref("Role", "runner"), json!([account])),
        binding(
            "developers",
            role_ref("ClusterRole", "edit"),
            json!([developer, subject_of("Group", "dev")]),
        ),
        binding("secrets", role_ref("ClusterRole", "filled:secret-reader"), json!([account])),
    ]
}

fn template(number: usize, app: &str) -> Value {
    // Of three images one has a digest, and one the tag that everybody warns of.
    let digest = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    let image = match number % 3 {
        0 => format!("registry.example/{app}:1.{number}"),
        1 => format!("registry.example/{app}@{digest}"),
        _ => format!("docker.io/library/{app}"),
    };
    let resources =
        json!({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}});
    let from = json!({"secretKeyRef": {"name": "login", "key": "password"}});
    let main = json!({"name": "main", "image": image, "resources": resources, "env": [{"name": "PASSWORD", "valueFrom": from}],
        "ports": [{"containerPort": 8080}]});
    let side = json!({"name": "side", "image": "registry.example/side:3", "resources": {"requests": {"cpu": "10m"}}});
    let first = json!({"name": "first", "image": "registry.example/first:2"});
    json!({
        "metadata": {"labels": {"app": app}},
        "spec": {"serviceAccountName": "runner", "initContainers": [first], "containers": [main, side]},
    })
}

/// Returns a pod that checks of policies find much in.
fn risky(number: usize) -> Value {
    let context = json!({"privileged": number.is_multiple_of(2), "capabilities": {"add": ["NET_ADMIN"]}});
    let container = json!({"name": "main", "image": "alone:latest", "securityContext": context});
    let volume = json!({"name": "host", "hostPath": {"path": "/var/log"}});
    json!({"spec": {"hostNetwork": number.is_multiple_of(5), "containers": [container], "volumes": [volume]}})
}

fn definition() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
    let names = json!({"kind": "Parcel", "plural": "parcels", "singular": "parcel", "shortNames": ["pcl"]});
    let spec = json!({"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]});
    let name = "parcels.example.com";
    object("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, name, json!({"spec": spec}))
}

fn priority_class() -> Value {
    object("scheduling.k8s.io/v1", "PriorityClass", None, "filled", json!({"value": 1000}))
}

fn secret(namespace: Option<&str>, name: &str, kind: &str, data: &Value) -> Value {
    object("v1", "Secret", namespace, name, json!({"type": kind, "stringData": data}))
}

fn selector(app: &str) -> Value {
    json!({"matchLabels": {"app": app}})
}

fn role_ref(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name})
}

fn subject_of(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name})
}

fn object(version: &str, kind: &str, namespace: Option<&str>, name: &str, mut body: Value) -> Value {
    body["apiVersion"] = version.into();
    body["kind"] = kind.into();
    body["metadata"]["name"] = name.into();
    if let Some(namespace) = namespace {
        body["metadata"]["namespace"] = namespace.into();
    }
    body
}

fn list(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deployments_and_what_else_makes_pods_make_forty_a_namespace() {
        let deployed: usize = DEPLOYMENTS.iter().map(|(_, replicas)| replicas).sum();
        assert_eq!((deployed + 3 + 2 + 1) * NAMESPACES, PODS);
    }
}
