//! outdated-api, on the real control plane.

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, real};

/// Two ingresses: the manifest of one is old.
const OBJECTS: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "outdated"}},
    {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"namespace": "outdated", "name": "old"},
     "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}},
    {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"namespace": "outdated", "name": "new"},
     "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}}]}"#;

fn prepared(real: &Real) -> Kwasm {
    real.apply(OBJECTS);
    // As `kubectl apply` leaves it, of which the server no longer takes such a manifest.
    for (name, api_version) in [("old", "extensions/v1beta1"), ("new", "networking.k8s.io/v1")] {
        let manifest = format!(
            "kubectl.kubernetes.io/last-applied-configuration={{\"apiVersion\":\"{api_version}\",\"kind\":\"Ingress\"}}"
        );
        real.feed(&["annotate", "--overwrite", "-n", "outdated", "ingress", name, &manifest], "");
    }
    Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("outdated-api")
}

#[test]
fn outdated_api_shows_what_was_written_by_old_apis_and_nothing_else() {
    let Some(real) = real("outdated_api_shows_what_was_written_by_old_apis_and_nothing_else") else { return };
    let kwasm = prepared(real);
    for arguments in [&["-n", "outdated"][..], &["-A"], &["-A", "--target", "v1.22"]] {
        let run = kwasm.run("outdated-api", arguments).success();
        for seen in ["ingress/old", "extensions/v1beta1", "1.22", "networking.k8s.io/v1", "last-applied"] {
            assert!(run.stdout.contains(seen), "{seen}: {}", run.shown());
        }
        assert!(!run.stdout.contains("ingress/new"), "{}", run.shown());
    }
    kwasm.run("outdated-api", &["-n", "outdated", "--fail"]).fails(1);
    // The version before still had it.
    let run =
        kwasm.run("outdated-api", &["-n", "outdated", "--target", "1.21", "--fail", "-o", "json"]).success();
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&report["complete"], &report["objects"]), (&true.into(), &serde_json::json!([])));
    kwasm.run("outdated-api", &["--target", "next"]).fails(2);
}

#[test]
fn outdated_api_names_what_rbac_refuses_and_shows_the_rest() {
    let Some(real) = real("outdated_api_names_what_rbac_refuses_and_shows_the_rest") else { return };
    let kwasm = prepared(real).kubeconfig(real.kubeconfig(User::Alice));
    let run = kwasm.run("outdated-api", &["-A"]).fails(1);
    assert!(run.stdout.contains("ingress/old"), "{}", run.shown());
    assert!(run.stderr.contains("customresourcedefinitions.apiextensions.k8s.io"), "{}", run.shown());
    assert!(run.stderr.contains("RBAC"), "{}", run.shown());
}

#[test]
fn outdated_api_cannot_do_without_discovery() {
    let Some(real) = real("outdated_api_cannot_do_without_discovery") else { return };
    let kwasm = prepared(real).spec(
        "{kubernetes: {rules: [{nonResourceURLs: [/version], verbs: [get]}, \
         {apiGroups: ['*'], resources: ['*'], verbs: [list]}]}}",
    );
    let run = kwasm.run("outdated-api", &["-n", "outdated"]).fails(1);
    assert!(run.stderr.contains("outdated-api: discovery: refused by kwasm"), "{}", run.shown());
    assert_eq!(run.stdout, "");
}
