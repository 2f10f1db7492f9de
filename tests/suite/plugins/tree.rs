//! tree, on the real control plane.

use kwasm_cluster::User;
use serde_json::{Value, json};

use crate::support::{Kwasm, Real, real};

/// Creates a configuration with a secret, which has a configuration and a pod, and returns a kwasm.
fn prepared(real: &Real, namespace: &str) -> Kwasm {
    real.apply(
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}).to_string(),
    );
    let root = made(real, namespace, "ConfigMap", "root", None, &json!({"data": {}}));
    let secret =
        made(real, namespace, "Secret", "middle", Some(("ConfigMap", "root", &root)), &json!({"data": {}}));
    let owner = Some(("Secret", "middle", secret.as_str()));
    made(real, namespace, "ConfigMap", "leaf", owner, &json!({"data": {}}));
    let spec = json!({"spec": {"nodeName": "none", "containers": [{"name": "main", "image": "none"}]}});
    made(real, namespace, "Pod", "leaf", owner, &spec);
    made(real, namespace, "ConfigMap", "stranger", None, &json!({"data": {}}));
    Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("tree")
}

/// Creates an object, and returns its UID.
fn made(
    real: &Real,
    namespace: &str,
    kind: &str,
    name: &str,
    owner: Option<(&str, &str, &str)>,
    body: &Value,
) -> String {
    let owners: Vec<Value> = owner
        .map(|(kind, name, uid)| json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": uid}))
        .into_iter()
        .collect();
    let mut object = body.clone();
    object["apiVersion"] = "v1".into();
    object["kind"] = kind.into();
    object["metadata"] = json!({"name": name, "namespace": namespace, "ownerReferences": owners});
    real.apply(&object.to_string());
    real.feed(&["get", kind, name, "-n", namespace, "-o", "jsonpath={.metadata.uid}"], "")
}

/// Returns the column NAME of each line but the first.
fn names(text: &str) -> Vec<String> {
    let heading = text.lines().next().unwrap_or_default();
    let (from, to) = (heading.find(" NAME").unwrap() + 1, heading.find("READY").unwrap());
    let name = |line: &str| line.chars().skip(from).take(to - from).collect::<String>().trim_end().to_owned();
    text.lines().skip(1).map(name).collect()
}

#[test]
fn tree_shows_what_belongs_to_an_object_at_any_depth() {
    let Some(real) = real("tree_shows_what_belongs_to_an_object_at_any_depth") else { return };
    let kwasm = prepared(real, "grown");
    let run = kwasm.run("tree", &["configmap", "root", "-n", "grown"]).success();
    assert_eq!(run.stderr, "");
    let expected = ["ConfigMap/root", "└─Secret/middle", "  ├─ConfigMap/leaf", "  └─Pod/leaf"];
    assert_eq!(names(&run.stdout), expected, "{}", run.stdout);
    let below = kwasm.run("tree", &["secret/middle", "-n", "grown"]).success().stdout;
    assert_eq!(names(&below), ["Secret/middle", "├─ConfigMap/leaf", "└─Pod/leaf"]);
    let alone = kwasm.run("tree", &["cm", "stranger", "-n", "grown"]).success().stdout;
    assert_eq!(alone, "No resources are owned by this object through ownerReferences.\n");
    let nested = kwasm.run("tree", &["cm", "root", "-n", "grown", "-o", "json"]).success().stdout;
    let nested: Value = serde_json::from_str(&nested).unwrap();
    assert_eq!(nested["dependents"][0]["dependents"][1]["kind"], "Pod");
}

#[test]
fn tree_shows_the_condition_that_is_asked_for() {
    let Some(real) = real("tree_shows_the_condition_that_is_asked_for") else { return };
    let kwasm = prepared(real, "judged");
    let status = r#"{"status": {"phase": "Running", "conditions": [
        {"type": "Ready", "status": "False", "reason": "Waiting"}, {"type": "Odd", "status": "True"}]}}"#;
    real.feed(&["patch", "pod", "leaf", "-n", "judged", "--subresource=status", "-p", status], "");
    let pod = |arguments: &[&str]| {
        let arguments = [&["cm", "root", "-n", "judged"], arguments].concat();
        let text = kwasm.run("tree", &arguments).success().stdout;
        let words: Vec<String> = text.lines().last().unwrap().split_whitespace().map(str::to_owned).collect();
        words[2..words.len() - 1].join(" ")
    };
    assert_eq!(pod(&[]), "False Waiting InProgress");
    assert_eq!(pod(&["--condition-types", "Odd"]), "True InProgress");
    assert_eq!(pod(&["--condition-types", "Missing"]), "- -");
}

#[test]
fn tree_ends_where_objects_belong_to_each_other() {
    let Some(real) = real("tree_ends_where_objects_belong_to_each_other") else { return };
    let kwasm = prepared(real, "round");
    let leaf = real.feed(&["get", "cm", "leaf", "-n", "round", "-o", "jsonpath={.metadata.uid}"], "");
    made(real, "round", "ConfigMap", "root", Some(("ConfigMap", "leaf", &leaf)), &json!({"data": {}}));
    let text = kwasm.run("tree", &["cm", "root", "-n", "round"]).success().stdout;
    assert!(text.contains("  ├─ConfigMap/leaf") && text.contains("  │ └─ConfigMap/root..."), "{text}");
}

#[test]
fn tree_names_what_it_may_not_list_and_shows_the_rest() {
    let Some(real) = real("tree_names_what_it_may_not_list_and_shows_the_rest") else { return };
    let kwasm = prepared(real, "partly");
    let arguments = ["cm", "root", "-n", "partly"];
    // By the policy, and by RBAC.
    let partly = kwasm.spec(
        "{kubernetes: {rules: [{nonResourceURLs: [/api, /apis], verbs: [get]}, {apiGroups: ['*'], resources: ['*'], \
         except: [secrets], verbs: [get, list]}]}}",
    );
    let run = partly.run("tree", &arguments).fails(1);
    assert!(run.stderr.contains("tree: secrets: not shown, the plugin's policy"), "{}", run.shown());
    let without = [arguments.as_slice(), &["--resources", "!secrets"]].concat();
    partly.run("tree", &without).success();

    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("tree");
    let nobody = [arguments.as_slice(), &["--as", "nobody-at-all"]].concat();
    let run = kwasm.run("tree", &nobody).fails(1);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("nobody-at-all"), "{}", run.shown());
}
