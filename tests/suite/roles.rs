//! `kwasm policy role`: what it prints, and what it cannot. That a server judges by it as kwasm does is tested in
//! [`crate::judge`].

use kwasm_apiserver::{Fault, User};

use crate::support::{Kwasm, component, kubeconfig, seed};

/// Returns the manifests without their comments.
fn manifests(text: &str) -> &str {
    text.split_once("---\n").map_or("", |(_, manifests)| manifests)
}

#[test]
fn the_role_of_an_installed_plugin_is_what_its_request_and_its_grant_have_in_common() {
    let kwasm = Kwasm::new();
    kwasm.call(["install", component("decoder").to_str().unwrap(), "--policy", "cluster"]).success();
    let run =
        kwasm.call(["policy", "role", "decoder", "-n", "shop", "--service-account", "jobs:x"]).success();
    assert!(
        run.stdout
            .starts_with("# The rules that these have in common: request `decoder`, grant `cluster`.\n"),
        "{}",
        run.shown()
    );
    insta::assert_snapshot!(manifests(&run.stdout), @r#"
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: kwasm-decoder
      namespace: shop
      labels: {app.kubernetes.io/managed-by: kwasm}
    rules:
      - apiGroups: [""]
        resources: [secrets]
        verbs: [get]
      - apiGroups: [""]
        resources: [secrets]
        verbs: [watch]
      - apiGroups: [""]
        resources: [secrets]
        verbs: [list]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata:
      name: "kwasm-decoder:jobs:x"
      namespace: shop
      labels: {app.kubernetes.io/managed-by: kwasm}
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: Role
      name: kwasm-decoder
    subjects:
      - kind: ServiceAccount
        namespace: jobs
        name: x
    "#);
    // The plugin comes before the built-in policy of the same name.
    kwasm.call(["install", component("decoder").to_str().unwrap(), "--policy", "none"]).success();
    let run = kwasm.call(["policy", "role", "decoder"]).success();
    assert_eq!(manifests(&run.stdout), "");
    assert_eq!(run.stderr, "`decoder` allows nothing in a cluster: there is no role for it\n");
}

#[test]
fn current_is_the_namespace_of_the_flag_or_of_the_context_or_default() {
    let server = seed();
    let kwasm = Kwasm::new();
    for (arguments, namespace) in [(&["-n", "here"][..], "here"), (&[], "default")] {
        let run = kwasm.call([&["policy", "role", "decoder"], arguments].concat()).success();
        assert!(run.stdout.contains(&format!("\n  namespace: {namespace}\n")), "{}", run.shown());
    }
    let path = kubeconfig(&server, User::Token);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut config: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    config["contexts"][0]["context"]["namespace"] = "there".into();
    let path = kwasm.home().join("config");
    std::fs::write(&path, config.to_string()).unwrap();
    let run = kwasm.kubeconfig(path).call(["policy", "role", "decoder"]).success();
    assert!(run.stdout.contains("\n  namespace: there\n"), "{}", run.shown());
    // Nothing has to be asked for it.
    assert!(server.requests().is_empty());
}

#[test]
fn what_has_no_role_is_an_error_with_its_cure() {
    let kwasm = Kwasm::new();
    let run = kwasm.call(["policy", "role", "nothing"]).fails(2);
    assert!(
        run.stderr.starts_with("kwasm: there is neither an installed plugin nor a policy `nothing`\nhint: "),
        "{}",
        run.shown()
    );
    let run = kwasm.call(["policy", "role", "decoder", "--service-account", "x"]).fails(2);
    assert!(
        run.stderr.contains("`x` is not a service account\nhint: name one as NAMESPACE:NAME"),
        "{}",
        run.shown()
    );
    // What is excluded is written out, for which a server has to be asked.
    let run = kwasm.call(["policy", "role", "read-only"]).fails(125);
    assert!(run.stdout.is_empty() && run.stderr.contains("hint: name a kubeconfig"), "{}", run.shown());
}

#[test]
fn what_is_excluded_is_written_out_by_the_servers_discovery() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let run = kwasm.call(["policy", "role", "read-only", "--service-account", "jobs:x"]).success();
    let roles = manifests(&run.stdout);
    assert!(
        roles.contains("configmaps") && !roles.contains("secrets") && !roles.contains("pods/exec"),
        "{roles}"
    );
    assert!(!roles.contains("\"*\""), "{roles}");
    assert!(run.stdout.contains("`except` is written out"), "{}", run.shown());
    // Version by version, since this server has no other discovery.
    let asked: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(asked[..2], ["/api", "/api/v1"], "{asked:?}");
    assert!(asked[2..].iter().all(|path| path.starts_with("/apis")) && asked.len() > 3, "{asked:?}");
}

#[test]
fn a_server_that_does_not_list_its_resources_is_reported_and_nothing_printed() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    for (path, code, words) in [
        ("/api", 403, "it does not list its resources: 403"),
        ("/apis", 404, "it does not list its resources: 404"),
        ("/api/v1", 503, "it answered 503"),
    ] {
        server.fault(Fault::status(code, None).on("GET", path));
        let run = kwasm.call(["policy", "role", "read-only"]).fails(125);
        assert!(run.stdout.is_empty() && run.stderr.contains(words), "{path}: {}", run.shown());
    }
}
