//! images, on the real control plane.

use kwasm_cluster::User;
use serde_json::Value;

use crate::support::{Kwasm, Real, real};

const OBJECTS: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pictured"}},
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "pictured-node"}, "spec": {"unschedulable": true}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "pictured", "name": "web-0"}, "spec": {
        "nodeName": "pictured-node", "initContainers": [{"name": "first", "image": "registry.example/first:2"}],
        "containers": [{"name": "main", "image": "registry.example/pictured:1"}]}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "pictured", "name": "web-1"}, "spec": {
        "nodeName": "pictured-node", "containers": [{"name": "main", "image": "registry.example/pictured:1"}]}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "pictured", "name": "db-0"}, "spec": {
        "nodeName": "pictured-node", "containers": [{"name": "main", "image": "db", "imagePullPolicy": "Never"}]}}]}"#;

const STORED: &str =
    r#"{"status": {"images": [{"names": ["registry.example/pictured:1"], "sizeBytes": 1572864}]}}"#;

fn prepared(real: &Real) -> Kwasm {
    real.apply(OBJECTS);
    real.feed(&["patch", "node", "pictured-node", "--subresource=status", "-p", STORED], "");
    Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("images")
}

/// Returns the words of each line.
fn words(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn images_shows_the_image_of_each_container() {
    let Some(real) = real("images_shows_the_image_of_each_container") else { return };
    let kwasm = prepared(real);
    let run = kwasm.run("images", &["-n", "pictured"]).success();
    let expected = [
        "1 namespace, 3 pods, 4 containers, 3 different images",
        "POD CONTAINER IMAGE",
        "db-0 main db",
        "web-0 main registry.example/pictured:1",
        "web-0 (init) first registry.example/first:2",
        "web-1 main registry.example/pictured:1",
    ];
    assert_eq!(words(&run.stdout), expected, "{}", run.shown());
    assert_eq!(run.stderr, "");
}

#[test]
fn images_chooses_pods_and_columns_and_leaves_out_what_is_the_same() {
    let Some(real) = real("images_chooses_pods_and_columns_and_leaves_out_what_is_the_same") else { return };
    let kwasm = prepared(real);
    let shown = |arguments: &[&str]| {
        let arguments = [arguments, &["-n", "pictured"]].concat();
        kwasm.run("images", &arguments).success().stdout
    };
    assert_eq!(
        words(&shown(&["^web-[0-9]$", "-c", "3", "--no-headers"])),
        ["registry.example/pictured:1", "registry.example/first:2"]
    );
    assert_eq!(
        words(&shown(&["-c", "0,4,5", "--no-headers"])),
        ["pictured Never", "pictured IfNotPresent 1.5 MiB", "pictured IfNotPresent"]
    );
    let once: Value = serde_json::from_str(&shown(&["web", "--unique", "-c", "2,3", "-o", "json"])).unwrap();
    assert_eq!(once[0], serde_json::json!({"container": "main", "image": "registry.example/pictured:1"}));
    assert_eq!(once.as_array().unwrap().len(), 2);
    kwasm.run("images", &["(", "-n", "pictured"]).fails(2);
}

#[test]
fn images_does_without_sizes_where_nodes_may_not_be_read() {
    let Some(real) = real("images_does_without_sizes_where_nodes_may_not_be_read") else { return };
    let kwasm =
        prepared(real).spec("{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]}}");
    kwasm.run("images", &["-n", "pictured"]).success();
    let run = kwasm.run("images", &["-n", "pictured", "-c", "3,5"]).fails(1);
    assert!(run.stdout.contains("pictured:1") && !run.stdout.contains("MiB"), "{}", run.shown());
    assert!(run.stderr.contains("images: nodes: not shown, the plugin's policy"), "{}", run.shown());
    let run = kwasm.run("images", &["-n", "pictured", "--as", "nobody-at-all"]).fails(1);
    assert!(run.stderr.contains("images: pods: ") && run.stderr.contains("nobody-at-all"), "{}", run.shown());
}
