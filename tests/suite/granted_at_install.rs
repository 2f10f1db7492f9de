//! Tests that a plugin's grant at install is its grant when it runs.

use kwasm_apiserver::User;

use crate::support::{Kwasm, Run, component, kubeconfig, seed};

const SPEC: &str = "apiVersion: kwasm.dev/v1
kind: Policy
metadata: {name: versions}
spec: {kubernetes: {rules: [{nonResourceURLs: [/version], verbs: [get]}]}}
";

/// Runs what `dials` was installed as, through its link.
fn dial(kwasm: &Kwasm, url: &str) -> Run {
    Run::of(kwasm.program(kwasm.links().join("kubectl-dials")).arg(url))
}

fn install(kwasm: &Kwasm, arguments: &[&str]) -> Run {
    let guest = component("dials");
    kwasm.call([&["install", guest.to_str().unwrap()], arguments].concat())
}

#[test]
fn a_plugin_keeps_the_policy_of_a_file_whatever_becomes_of_the_file() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let file = kwasm.home().join("versions.yaml");
    std::fs::write(&file, SPEC).unwrap();
    let run = install(&kwasm, &["--policy", "./versions.yaml"]).success();
    assert!(run.stderr.contains("with the policy `versions`"), "{}", run.shown());
    // Later contents of the file were never granted.
    std::fs::write(&file, SPEC.replace("[/version]", "['*']")).unwrap();
    assert!(dial(&kwasm, "http://192.0.2.1/version").stdout.starts_with("status 200"));
    assert!(dial(&kwasm, "http://192.0.2.1/healthz").stdout.starts_with("status 403"));
    std::fs::remove_file(&file).unwrap();
    assert!(dial(&kwasm, "http://192.0.2.1/version").stdout.starts_with("status 200"));
    // Installed again from the same place without a word of it, it keeps it; with a word, it has the other.
    install(&kwasm, &[]).success();
    assert!(dial(&kwasm, "http://192.0.2.1/healthz").stdout.starts_with("status 403"));
    install(&kwasm, &["--policy", "cluster"]).success();
    assert!(dial(&kwasm, "http://192.0.2.1/healthz").stdout.starts_with("status 200"));
}

#[test]
fn a_plugin_that_may_read_only_reads_and_sees_no_secrets() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    // It does not say what it needs, so that its user does.
    install(&kwasm, &[]).fails(2);
    let run = install(&kwasm, &["--policy", "read-only"]).success();
    assert!(run.stderr.contains("with the policy `read-only`"), "{}", run.shown());
    assert!(dial(&kwasm, "http://192.0.2.1/api/v1/namespaces/shop/pods").stdout.starts_with("status 200"));
    let refused = dial(&kwasm, "http://192.0.2.1/api/v1/namespaces/shop/secrets/db");
    assert!(refused.stdout.starts_with("status 403"), "{}", refused.shown());
    // Run with another one for once, it has that one.
    let run = kwasm.call([
        "run",
        "dials",
        "--policy",
        "cluster",
        "--",
        "http://192.0.2.1/api/v1/namespaces/shop/secrets/db",
    ]);
    assert!(run.stdout.starts_with("status 200"), "{}", run.shown());
}

#[test]
fn a_policy_that_cannot_be_read_installs_nothing() {
    let kwasm = Kwasm::new();
    std::fs::write(kwasm.home().join("bad.yaml"), SPEC.replace("rules", "rule")).unwrap();
    for policy in ["./bad.yaml", "./missing.yaml", "no-such"] {
        install(&kwasm, &["--policy", policy]).fails(2);
        assert_eq!(kwasm.call(["list", "-o", "name"]).success().stdout, "");
    }
}

#[test]
fn a_policy_for_another_context_allows_nothing_in_this_one() {
    let server = seed();
    let rules = "rules: [{nonResourceURLs: [/version], verbs: [get]}]";
    for (contexts, status) in [("[current]", "200"), ("\"*\"", "200"), ("[production]", "403")] {
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        let kwasm = kwasm.spec(&format!("{{kubernetes: {{contexts: {contexts}, {rules}}}}}"));
        let run = kwasm.run("dials", &["http://192.0.2.1/version"]);
        assert!(run.stdout.starts_with(&format!("status {status}")), "{contexts}: {}", run.shown());
    }
}

#[test]
fn current_is_the_namespace_of_the_command_line_and_else_the_contexts() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token)).policy("decoder");
    kwasm.run("decoder", &["secret", "db", "-n", "shop"]).success();
    // The context names none, so that it is `default`.
    let run = kwasm.run("dials", &["http://192.0.2.1/api/v1/namespaces/shop/secrets/db"]);
    assert!(run.stderr.contains("the policy `decoder` does not allow it"), "{}", run.shown());
    let run = kwasm.run("dials", &["http://192.0.2.1/api/v1/namespaces/default/secrets/db"]);
    assert!(run.stdout.starts_with("status 404"), "{}", run.shown());
}
