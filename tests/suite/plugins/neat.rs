//! neat, by its input and on the real control plane.

use std::io::Write;
use std::process::Stdio;

use kwasm_cluster::User;
use serde_json::{Value, json};

use crate::support::{Kwasm, Run, real};

/// Runs it with an input.
fn neated(kwasm: &Kwasm, arguments: &[&str], text: &str) -> Run {
    let mut command = kwasm.guest("neat", arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Run::from(child.wait_with_output().unwrap())
}

#[test]
fn neat_leaves_what_was_written_and_needs_no_right_for_that() {
    let Some(real) = real("neat_leaves_what_was_written_and_needs_no_right_for_that") else { return };
    let written = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "tidied",
        "labels": {"app": "web"}}, "spec": {"automountServiceAccountToken": false, "containers": [{"name": "main",
        "image": "web:1", "ports": [{"containerPort": 80}]}]}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tidied"}});
    real.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [namespace, written]}).to_string());
    let kwasm = Kwasm::new().policy("none");
    for form in ["yaml", "json"] {
        let stored = real.feed(&["get", "pod", "web", "-n", "tidied", "-o", form], "");
        let run = neated(&kwasm, &[], &stored).success();
        assert_eq!(run.stdout.starts_with('{'), form == "json", "the same form: {}", run.stdout);
        let run = neated(&kwasm, &["-o", "json"], &stored).success();
        let mut neat: Value = serde_json::from_str(&run.stdout).unwrap();
        // What admission sets is no default.
        let spec = neat["spec"].as_object_mut().unwrap();
        for name in ["preemptionPolicy", "priority", "serviceAccountName", "tolerations"] {
            spec.remove(name);
        }
        assert_eq!(neat, written);
    }
    let list = real.feed(&["get", "pod,sa", "-n", "tidied", "-o", "yaml"], "");
    let run = neated(&kwasm, &[], &list).success();
    assert!(!run.stdout.contains("uid:") && !run.stdout.contains("status:"), "{}", run.stdout);
}

#[test]
fn neat_gets_objects_by_itself() {
    let Some(real) = real("neat_gets_objects_by_itself") else { return };
    real.apply(
        r#"{"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fetched"}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "fetched"}, "data": {"k": "v"}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b", "namespace": "fetched"}, "data": {}}]}"#,
    );
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("neat");
    let expected =
        "apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: fetched\n";
    for arguments in
        [&["get", "configmap", "a", "-n", "fetched"][..], &["get", "--", "cm/a", "-n", "fetched"]]
    {
        assert_eq!(kwasm.run("neat", arguments).success().stdout, expected);
    }
    let both = kwasm.run("neat", &["get", "cm/a", "secret/b", "-n", "fetched", "-o", "json"]).success();
    let both: Value = serde_json::from_str(&both.stdout).unwrap();
    assert_eq!((&both["kind"], &both["items"][1]["type"]), (&json!("List"), &json!("Opaque")));

    // An answer without the secret would be no answer.
    let kwasm = kwasm.spec(
        "{kubernetes: {rules: [{nonResourceURLs: [/api, /apis], verbs: [get]}, {apiGroups: ['*'], resources: ['*'], \
         except: [secrets], verbs: [get, list]}]}}",
    );
    kwasm.run("neat", &["get", "cm/a", "-n", "fetched"]).success();
    let run = kwasm.run("neat", &["get", "cm/a", "secret/b", "-n", "fetched"]).fails(1);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("neat: secret b: refused by kwasm"), "{}", run.shown());
}

#[test]
fn neat_refuses_what_is_no_object() {
    let kwasm = Kwasm::new().policy("none");
    for (text, why) in [
        ("", "standard input: empty"),
        ("[1]\n", "not an object of Kubernetes"),
        ("{\"a\": 1", "standard input: "),
        ("a: \x1b\n", "standard input: "),
    ] {
        let run = neated(&kwasm, &[], text).fails(1);
        assert!(run.stderr.contains(why) && !run.stderr.contains('\x1b'), "{text:?}: {}", run.shown());
        assert_eq!(run.stdout, "");
    }
    neated(&kwasm, &["pod"], "").fails(2);
}
