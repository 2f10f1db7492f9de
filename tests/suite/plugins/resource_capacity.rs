//! resource-capacity, on the real control plane.

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, real};

/// A node of its own, on which nothing else is scheduled, so that the sums are known.
const OBJECTS: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "measured"}},
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "measured-node", "labels": {"measured": "yes"}},
     "spec": {"unschedulable": true}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "measured", "name": "one", "labels": {"part": "one"}},
     "spec": {"nodeName": "measured-node", "containers": [
        {"name": "main", "image": "none", "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}}},
        {"name": "side", "image": "none", "resources": {"requests": {"cpu": "1m", "memory": "1"}}}]}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "measured", "name": "two"},
     "spec": {"nodeName": "measured-node",
        "initContainers": [{"name": "first", "image": "none", "resources": {"requests": {"cpu": "500m"}}}],
        "containers": [{"name": "main", "image": "none", "resources": {"requests": {"cpu": "100m"}}}]}}]}"#;

const ALLOCATABLE: &str = r#"{"status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "110"},
    "capacity": {"cpu": "2", "memory": "1Gi", "pods": "110"}}}"#;

fn prepared(real: &Real) -> Kwasm {
    real.apply(OBJECTS);
    real.feed(&["patch", "node", "measured-node", "--subresource=status", "-p", ALLOCATABLE], "");
    real.feed(&["taint", "node", "measured-node", "measured=yes:NoSchedule", "--overwrite"], "");
    Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("resource-capacity")
}

fn shown(kwasm: &Kwasm, arguments: &[&str]) -> String {
    let arguments = [&["--node-labels", "measured=yes"], arguments].concat();
    kwasm.run("resource-capacity", &arguments).success().stdout
}

/// Returns the words of each line.
fn words(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn resource_capacity_adds_up_what_pods_request_of_a_node() {
    let Some(real) = real("resource_capacity_adds_up_what_pods_request_of_a_node") else { return };
    let kwasm = prepared(real);
    let expected = [
        "NODE CPU REQUESTS CPU LIMITS MEMORY REQUESTS MEMORY LIMITS POD COUNT",
        "measured-node 751m (37%) 1000m (50%) 65Mi (6%) 128Mi (12%) 2/110",
    ];
    assert_eq!(words(&shown(&kwasm, &["--pod-count"])), expected);
    let left = words(&shown(&kwasm, &["--available"]));
    assert_eq!(left[1], "measured-node 1249m/2000m 1000m/2000m 959Mi/1024Mi 896Mi/1024Mi");
    let containers = words(&shown(&kwasm, &["-n", "measured", "-c", "-l", "part=one", "-o", "csv"]));
    assert_eq!(containers[2], r#""measured-node","one","*",2000,251,12,1000,50,1024,65,6,128,12"#);
    assert_eq!(containers[4], r#""measured-node","one","side",2000,1,0,0,0,1024,1,0,0,0"#);
}

#[test]
fn resource_capacity_chooses_nodes_and_namespaces_and_sorts() {
    let Some(real) = real("resource_capacity_chooses_nodes_and_namespaces_and_sorts") else { return };
    let kwasm = prepared(real);
    assert_eq!(words(&shown(&kwasm, &["--no-taint"])).len(), 1, "only the headings");
    assert_eq!(words(&shown(&kwasm, &["-t", "measured:NoSchedule"])).len(), 2);
    assert_eq!(words(&shown(&kwasm, &["-t", "!measured"])).len(), 1);
    let by_label = ["-p", "--namespace-labels", "kubernetes.io/metadata.name=measured", "-o", "json"];
    let document: serde_json::Value = serde_json::from_str(&shown(&kwasm, &by_label)).unwrap();
    let pods = document["nodes"][0]["pods"].as_array().unwrap();
    assert_eq!(pods.iter().map(|pod| pod["name"].as_str().unwrap()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(document["clusterTotals"]["cpu"]["requestsPercent"], "37%");
    let sorted = shown(&kwasm, &["-p", "--sort", "cpu.request", "-n", "measured"]);
    assert!(sorted.find(" two ").unwrap() < sorted.find(" one ").unwrap(), "{sorted}");
}

#[test]
fn resource_capacity_says_what_it_may_not_read_and_what_is_not_served() {
    let Some(real) = real("resource_capacity_says_what_it_may_not_read_and_what_is_not_served") else {
        return;
    };
    let kwasm = prepared(real);
    let run = kwasm.run("resource-capacity", &["--util"]).fails(1);
    assert!(run.stderr.contains("does not serve metrics.k8s.io"), "{}", run.shown());
    assert!(run.stderr.contains("hint: metrics-server does"), "{}", run.shown());
    let run = kwasm.run("resource-capacity", &["--as", "somebody-without-roles"]).fails(1);
    assert!(run.stderr.contains("resource-capacity: nodes: nodes is forbidden"), "{}", run.shown());
    let kwasm = kwasm.spec("{kubernetes: {rules: [{apiGroups: [''], resources: [nodes], verbs: [list]}]}}");
    let run = kwasm.run("resource-capacity", &[]).fails(1);
    assert!(run.stderr.contains("resource-capacity: pods: refused by kwasm"), "{}", run.shown());
}
