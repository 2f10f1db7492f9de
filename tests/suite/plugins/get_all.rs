//! get-all, on the real control plane.

use kwasm_cluster::User;
use serde_json::Value;

use crate::support::{Kwasm, Real, real};

const OBJECTS: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "counted"}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "counted", "labels": {"mine": "yes"}}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "two", "namespace": "counted", "labels": {"mine": "yes"}},
     "stringData": {"k": "value"}},
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "three", "namespace": "counted",
     "labels": {"mine": "yes"}}, "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {
        "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "main", "image": "none"}]}}}}]}"#;

fn prepared(real: &Real) -> Kwasm {
    real.apply(OBJECTS);
    Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("get-all")
}

#[test]
fn get_all_lists_the_objects_of_every_resource() {
    let Some(real) = real("get_all_lists_the_objects_of_every_resource") else { return };
    let kwasm = prepared(real);
    let run = kwasm.run("get-all", &["-n", "counted", "-l", "mine=yes", "-o", "name"]).success();
    assert_eq!(run.stdout, "configmap/one\nsecret/two\ndeployment.apps/three\n", "{}", run.shown());
    assert_eq!(run.stderr, "");
    let all = kwasm.run("get-all", &["-n", "counted"]).success().stdout;
    assert!(all.starts_with("NAME ") && all.contains("serviceaccount/default"), "{all}");
    assert!(!all.contains("namespace/"), "{all}");
    let clusters = kwasm.run("get-all", &["--only-scope", "cluster", "-o", "name"]).success().stdout;
    assert!(clusters.contains("namespace/counted\n") && !clusters.contains("configmap/"), "{clusters}");
}

#[test]
fn get_all_leaves_out_what_is_excluded_or_too_old() {
    let Some(real) = real("get_all_leaves_out_what_is_excluded_or_too_old") else { return };
    let kwasm = prepared(real);
    let names = |arguments: &[&str]| {
        let arguments = [&["-n", "counted", "-l", "mine=yes", "-o", "name"], arguments].concat();
        kwasm.run("get-all", &arguments).success().stdout
    };
    assert_eq!(names(&["--exclude", "secrets,Deployment"]), "configmap/one\n");
    assert_eq!(names(&["--exclude=cm", "--exclude", "deploy", "--since", "1d"]), "secret/two\n");
}

#[test]
fn get_all_prints_one_document() {
    let Some(real) = real("get_all_prints_one_document") else { return };
    let kwasm = prepared(real);
    let run = kwasm.run("get-all", &["-n", "counted", "-l", "mine=yes", "-o", "json"]).success();
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    let kinds: Vec<&str> =
        list["items"].as_array().unwrap().iter().filter_map(|item| item["kind"].as_str()).collect();
    assert_eq!((&list["kind"], kinds), (&Value::from("List"), vec!["ConfigMap", "Secret", "Deployment"]));
    assert_eq!(list["items"][1]["data"]["k"], "dmFsdWU=");
}

#[test]
fn get_all_names_what_it_may_not_list_and_lists_the_rest() {
    let Some(real) = real("get_all_names_what_it_may_not_list_and_lists_the_rest") else { return };
    let kwasm = prepared(real).spec(
        "{kubernetes: {rules: [{nonResourceURLs: [/api, /apis], verbs: [get]}, {apiGroups: ['*'], resources: ['*'], \
         except: [secrets], verbs: [list]}]}}",
    );
    let arguments = ["-n", "counted", "-l", "mine=yes", "-o", "name"];
    let run = kwasm.run("get-all", &arguments).fails(1);
    assert_eq!(run.stdout, "configmap/one\ndeployment.apps/three\n");
    assert!(run.stderr.contains("get-all: secrets: not shown, the plugin's policy"), "{}", run.shown());
    kwasm.run("get-all", &[arguments.as_slice(), &["--exclude", "secrets"]].concat()).success();
    let run = kwasm.run("get-all", &[arguments.as_slice(), &["--as", "nobody-at-all"]].concat()).fails(1);
    assert!(run.stdout.is_empty() && run.stderr.contains("the cluster's RBAC"), "{}", run.shown());
}
