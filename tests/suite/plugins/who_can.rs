//! who-can, on the real control plane.

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, component, real};

/// A namespace with two roles, and a cluster role: who has which is in the names.
const ROLES: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "guarded"}},
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "unguarded"}},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"namespace": "guarded", "name": "logs"},
     "rules": [{"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
               {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["login"], "verbs": ["get"]}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"namespace": "guarded", "name": "log-readers"},
     "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "logs"},
     "subjects": [{"kind": "ServiceAccount", "name": "reader-of-logs", "namespace": "unguarded"}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "guarded:widgets"},
     "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]},
               {"nonResourceURLs": ["/guarded/*"], "verbs": ["get"]}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"namespace": "guarded", "name": "deployers"},
     "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "guarded:widgets"},
     "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "deployer-here"}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "guarded:everywhere"},
     "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "guarded:widgets"},
     "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "deployers-everywhere"}]}]}"#;

fn prepared(real: &Real) -> Kwasm {
    real.apply(ROLES);
    Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("who-can")
}

#[test]
fn who_can_shows_who_has_a_role_that_allows_it() {
    let Some(real) = real("who_can_shows_who_has_a_role_that_allows_it") else { return };
    let kwasm = prepared(real);
    let run = kwasm.run("who-can", &["delete", "deploy", "-n", "guarded"]).success();
    assert_eq!(run.stderr, "");
    for seen in
        ["ROLEBINDING ", "deployer-here", "CLUSTERROLEBINDING ", "deployers-everywhere", "system:masters"]
    {
        assert!(run.stdout.contains(seen), "{seen}: {}", run.stdout);
    }
    assert!(!run.stdout.contains("reader-of-logs"), "{}", run.stdout);
    // In the other namespace only what is granted everywhere.
    let other = kwasm.run("who-can", &["delete", "deploy", "-n", "unguarded"]).success();
    assert!(!other.stdout.contains("deployer-here"), "{}", other.stdout);
    assert!(other.stdout.contains("deployers-everywhere"), "{}", other.stdout);
    // In all of them both.
    let all = kwasm.run("who-can", &["delete", "deployments.apps", "-A", "-o", "json"]).success();
    let document: serde_json::Value = serde_json::from_str(&all.stdout).unwrap();
    let mut bindings = document["roleBindings"].as_array().unwrap().iter();
    assert!(bindings.any(|binding| binding["name"] == "deployers" && binding["namespace"] == "guarded"));
}

#[test]
fn who_can_knows_subresources_names_and_paths() {
    let Some(real) = real("who_can_knows_subresources_names_and_paths") else { return };
    let kwasm = prepared(real);
    let shown = |arguments: &[&str]| {
        let arguments = [arguments, &["-n", "guarded"]].concat();
        kwasm.run("who-can", &arguments).success().stdout
    };
    assert!(shown(&["get", "pods", "--subresource=log"]).contains("reader-of-logs"));
    assert!(!shown(&["get", "pods"]).contains("reader-of-logs"));
    assert!(shown(&["get", "secrets/login"]).contains("reader-of-logs"));
    assert!(!shown(&["get", "secrets/other"]).contains("reader-of-logs"));
    assert!(shown(&["get", "/guarded/gate"]).contains("deployers-everywhere"));
    assert!(!shown(&["get", "/guarde"]).contains("deployers-everywhere"));
}

#[test]
fn who_can_says_what_there_is_not() {
    let Some(real) = real("who_can_says_what_there_is_not") else { return };
    let kwasm = prepared(real);
    let said = |arguments: &[&str], expected: &str| {
        let run = kwasm.run("who-can", arguments).fails(1);
        assert!(run.stderr.contains(expected), "{}", run.shown());
    };
    said(&["get", "unicorns", "-n", "guarded"], "the server has no resource of the name `unicorns`");
    said(&["paint", "pods", "-n", "guarded"], "`paint` cannot be done with `pods`: only ");
    said(&["get", "pods", "--subresource=wings", "-n", "guarded"], "no subresource of the name `pods/wings`");
    said(&["get", "pods", "-n", "nowhere-at-all"], "namespace `nowhere-at-all`: there is no such namespace");
}

#[test]
fn who_can_names_what_rbac_or_the_policy_keeps_from_it() {
    let Some(real) = real("who_can_names_what_rbac_or_the_policy_keeps_from_it") else { return };
    let kwasm = prepared(real);
    let action = ["delete", "deploy", "-n", "guarded"];
    let run = kwasm.run("who-can", &[&action[..], &["--as", "somebody-without-roles"]].concat()).fails(1);
    assert!(run.stderr.contains("clusterroles, roles of namespace `guarded`"), "{}", run.shown());
    assert!(!run.stdout.contains("No subjects found"), "what is unknown is not nobody: {}", run.shown());
    // Without the right to read cluster roles, the roles of the namespace are still known.
    let rules = "{kubernetes: {rules: [{nonResourceURLs: [/api, /apis], verbs: [get]}, \
         {apiGroups: [''], resources: [namespaces], verbs: [get]}, \
         {apiGroups: [rbac.authorization.k8s.io], resources: [roles, rolebindings, clusterrolebindings], verbs: [list]}]}}";
    let kwasm = kwasm.spec(rules);
    let run = kwasm.run("who-can", &["get", "secrets/login", "-n", "guarded"]).fails(1);
    assert!(run.stdout.contains("reader-of-logs"), "{}", run.shown());
    assert!(run.stderr.contains("clusterroles: not shown, the plugin's policy"), "{}", run.shown());
}

#[test]
fn who_can_runs_as_a_kubectl_plugin_under_its_own_request() {
    let Some(real) = real("who_can_runs_as_a_kubectl_plugin_under_its_own_request") else { return };
    let kwasm = prepared(real);
    kwasm.call(["install", component("who-can").to_str().unwrap(), "--policy", "who-can"]).success();
    let mut kubectl = kwasm.program(real.kubectl_program());
    let run =
        crate::support::Run::of(kubectl.args(["who-can", "create", "deploy", "-n", "guarded"])).success();
    assert!(run.stdout.contains("deployer-here"), "{}", run.shown());
}
