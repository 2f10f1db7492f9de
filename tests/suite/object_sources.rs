//! `configmap/NAMESPACE/NAME` and `secret/NAMESPACE/NAME`: components in objects of a cluster.

use std::process::Stdio;

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, component, real};

/// Creates or replaces an object from a file, as its users do.
fn put(real: &Real, kind: &[&str], name: &str, file: &str) {
    let mut kubectl = real.kubectl();
    kubectl.args(["create"]).args(kind).args([name, "-n", "default", "--dry-run=client", "-o", "json"]);
    let made = kubectl.arg(format!("--from-file={file}")).stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(made.stdout).unwrap();
    real.feed(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &text);
}

#[test]
fn a_component_in_a_config_map_runs_is_installed_and_upgraded_when_it_changes() {
    let Some(real) = real("object_sources") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let (hello, prints) = (component("hello"), component("prints"));
    put(real, &["configmap"], "tool", hello.to_str().unwrap());
    let source = "configmap/default/tool";
    let run = kwasm.call(["run", "--policy", "none", source, "--", "there"]).success();
    assert_eq!(run.stdout, "hello from kwasm: there\n");
    let with_key = format!("{source}/hello.wasm");
    kwasm.call(["run", "--policy", "none", &with_key, "--", "there"]).success();
    let inspected = kwasm.call(["inspect", source, "-o", "json"]).success();
    assert!(inspected.stdout.contains("\"sha256:"), "{}", inspected.shown());
    kwasm.call(["install", source, "--policy", "none"]).success();
    let installed = kwasm.program(kwasm.links().join("kubectl-tool")).arg("you").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&installed.stdout), "hello from kwasm: you\n");
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "");
    let kept = kwasm.call(["upgrade", "tool"]).success();
    assert!(kept.stderr.contains("is the newest"), "{}", kept.shown());

    put(real, &["configmap"], "tool", prints.to_str().unwrap());
    assert_eq!(kwasm.call(["outdated", "-o", "name"]).success().stdout, "tool\n");
    // Until then it stays what it was: its digest is pinned.
    let pinned = kwasm.program(kwasm.links().join("kubectl-tool")).arg("you").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&pinned.stdout), "hello from kwasm: you\n");
    kwasm.call(["upgrade", "tool"]).success();
    let list = kwasm.call(["list", "-o", "json"]).success();
    let digest = kwasm.call(["inspect", prints.to_str().unwrap(), "-o", "json"]).success();
    let digest: serde_json::Value = serde_json::from_str(&digest.stdout).unwrap();
    assert!(list.stdout.contains(digest["digest"].as_str().unwrap()), "{}", list.shown());
}

/// Of the same name, in another cluster for example: what was granted to the first one is not its.
#[test]
fn another_object_is_not_an_upgrade() {
    let Some(real) = real("object_sources") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    put(real, &["configmap"], "replaced", component("hello").to_str().unwrap());
    kwasm.call(["install", "configmap/default/replaced", "--policy", "cluster"]).success();
    real.feed(&["delete", "configmap", "replaced", "-n", "default"], "");
    put(real, &["configmap"], "replaced", component("prints").to_str().unwrap());
    let run = kwasm.call(["upgrade", "replaced"]).fails(125);
    assert!(run.stderr.contains("it is not the one that was installed"), "{}", run.shown());
    // Installing it again grants it anew.
    kwasm.call(["install", "configmap/default/replaced", "--policy", "none"]).success();
}

#[test]
fn a_secret_is_a_source_too() {
    let Some(real) = real("object_sources") else { return };
    put(real, &["secret", "generic"], "tool", component("hello").to_str().unwrap());
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Carol));
    let run = kwasm.call(["run", "--policy", "none", "secret/default/tool", "--", "a"]).success();
    assert_eq!(run.stdout, "hello from kwasm: a\n");
}

#[test]
fn what_is_not_there_is_told() {
    let Some(real) = real("object_sources") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let absent = kwasm.call(["run", "configmap/default/no-such-map"]).fails(125);
    assert!(absent.stderr.contains("404"), "{}", absent.shown());
    let text = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words", "namespace": "default"}, "data": {"a": "b"}}"#;
    real.apply(text);
    let words = kwasm.call(["run", "configmap/default/words"]).fails(125);
    assert!(words.stderr.contains("there is nothing in its binaryData"), "{}", words.shown());
    let without = Kwasm::new().call(["run", "configmap/default/words"]).fails(125);
    assert!(without.stderr.contains("there is no kubeconfig"), "{}", without.shown());
    let broken = kwasm.call(["run", "configmap/default"]);
    assert_ne!(broken.code, Some(0));
}
