//! access-matrix, on the real control plane.

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, real};

const ROLES: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mapped"}},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"namespace": "mapped", "name": "pods"},
     "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "delete"]}]},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"namespace": "mapped", "name": "pods"},
     "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pods"},
     "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "tidier-of-pods"}]}]}"#;

fn prepared(real: &Real) -> Kwasm {
    real.apply(ROLES);
    Kwasm::new().kubeconfig(real.kubeconfig(User::Admin)).policy("access-matrix")
}

/// Returns the words of the line that begins with a name.
fn line(text: &str, name: &str) -> Vec<String> {
    let mut lines = text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    lines.find(|words| words.first().is_some_and(|word| word == name)).unwrap_or_default()
}

#[test]
fn access_matrix_shows_what_you_may_do() {
    let Some(real) = real("access_matrix_shows_what_you_may_do") else { return };
    let kwasm = prepared(real);
    let as_tidier = |arguments: &[&str]| {
        let arguments = [arguments, &["--as", "tidier-of-pods", "-o", "ascii-table"]].concat();
        kwasm.run("access-matrix", &arguments).success()
    };
    let here = as_tidier(&["-n", "mapped"]);
    assert_eq!(here.stderr, "");
    assert_eq!(line(&here.stdout, "pods"), ["pods", "yes", "no", "no", "yes"]);
    assert_eq!(line(&here.stdout, "bindings"), ["bindings", "n/a", "no", "n/a", "n/a"]);
    assert_eq!(line(&here.stdout, "deployments.apps"), ["deployments.apps", "no", "no", "no", "no"]);
    assert!(line(&here.stdout, "nodes").is_empty(), "they are in no namespace");
    let everywhere = as_tidier(&[]);
    assert_eq!(line(&everywhere.stdout, "pods"), ["pods", "no", "no", "no", "no"]);
    assert!(!line(&everywhere.stdout, "nodes").is_empty());
    assert!(everywhere.stderr.contains("in the whole cluster"), "{}", everywhere.shown());
    let icons = kwasm.run("access-matrix", &["-n", "mapped", "--verbs", "get,watch"]).success();
    assert_eq!(line(&icons.stdout, "pods"), ["pods", "✔", "✔"]);
}

#[test]
fn access_matrix_shows_who_may_do_what_with_a_resource() {
    let Some(real) = real("access_matrix_shows_who_may_do_what_with_a_resource") else { return };
    let kwasm = prepared(real);
    let of_pods = |arguments: &[&str]| {
        let arguments = [&["resource", "po", "-o", "ascii-table"], arguments].concat();
        kwasm.run("access-matrix", &arguments).success().stdout
    };
    assert_eq!(
        line(&of_pods(&["-n", "mapped"]), "tidier-of-pods"),
        ["tidier-of-pods", "User", "yes", "no", "no", "yes"]
    );
    assert!(line(&of_pods(&[]), "tidier-of-pods").is_empty(), "it is granted in a namespace only");
    assert_eq!(line(&of_pods(&[]), "system:masters")[2..], ["yes", "yes", "yes", "yes"]);
}

#[test]
fn access_matrix_needs_what_each_of_its_two_forms_asks_for() {
    let Some(real) = real("access_matrix_needs_what_each_of_its_two_forms_asks_for") else { return };
    let kwasm = prepared(real);
    let kwasm = kwasm.spec("{kubernetes: {rules: [{nonResourceURLs: [/api, /apis], verbs: [get]}]}}");
    let mine = kwasm.run("access-matrix", &["-n", "mapped"]).fails(1);
    assert!(mine.stderr.contains("access-matrix: reviews: refused by kwasm"), "{}", mine.shown());
    assert_eq!(mine.stdout, "");
    let theirs = kwasm.run("access-matrix", &["resource", "pods", "-n", "mapped"]).fails(1);
    assert!(theirs.stderr.contains("clusterroles, roles"), "{}", theirs.shown());
}
