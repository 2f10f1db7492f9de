//! Tests of kubectl's own treatment of installed plugins: its list of them, and its completion of their
//! arguments.

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, Run, component, real};

/// Runs `kubectl …` at the control plane, as a user of this kwasm types it.
fn kubectl(kwasm: &Kwasm, real: &Real, arguments: &[&str]) -> Run {
    Run::of(kwasm.program(real.kubectl_program()).args(arguments))
}

fn install(kwasm: &Kwasm, guest: &str, name: &str) {
    let file = component(guest);
    kwasm.call(["install", file.to_str().unwrap(), "--as", name, "--policy", "cluster"]).success();
}

#[test]
fn kubectl_lists_plugins_without_a_warning() {
    let Some(real) = real("kubectl::kubectl_lists_plugins") else { return };
    let kwasm = Kwasm::new();
    for name in ["decoder", "my-long-plug", "x2"] {
        install(&kwasm, "hello", name);
    }
    let run = kubectl(&kwasm, real, &["plugin", "list", "--name-only"]).success();
    for line in ["kubectl-decoder", "kubectl-my_long_plug", "kubectl-x2"] {
        assert!(run.stdout.lines().any(|listed| listed == line), "{}", run.shown());
    }
    assert!(!run.stdout.contains("complete"), "{}", run.shown());
    assert!(!run.stderr.to_lowercase().contains("warning"), "{}", run.shown());
    assert_eq!(kubectl(&kwasm, real, &["my-long-plug", "a"]).success().stdout, "hello from kwasm: a\n");
}

#[test]
fn kubectl_completes_what_a_plugin_can_complete() {
    let Some(real) = real("kubectl::kubectl_completes") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    kwasm.call(["install", component("decoder").to_str().unwrap(), "--policy", "request"]).success();
    let completed = |words: &[&str]| {
        let arguments: Vec<&str> = ["__complete", "decoder"].iter().chain(words).copied().collect();
        kubectl(&kwasm, real, &arguments).success().stdout
    };
    assert_eq!(completed(&[""]), "secret\tshow a secret decoded\n:4\n");
    let names = completed(&["secret", "-n", "shop", "web"]);
    assert!(names.lines().any(|name| name == "web-tls"), "{names}");
    assert!(names.ends_with(":4\n"), "{names}");
}

#[test]
fn a_plugin_completes_under_its_policy_and_in_silence() {
    let Some(real) = real("kubectl::a_plugin_completes_under_its_policy") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let decoder = component("decoder");
    kwasm.call(["install", decoder.to_str().unwrap(), "--policy", "none"]).success();
    let link = kwasm.links().join("kubectl_complete-decoder");
    let run = Run::of(kwasm.program(&link).args(["secret", "-n", "shop", ""])).success();
    // Listing secrets exceeds the policy, which is not reported to a user who presses TAB.
    assert_eq!(run.shown(), "exit: 0\n--- stdout\n:4\n--- stderr\n");
}

#[test]
fn a_plugin_that_knows_nothing_of_completion_completes_nothing() {
    let kwasm = Kwasm::new();
    for guest in ["hello", "traps", "loops-forever", "prints"] {
        install(&kwasm, guest, "plug");
        let run = Run::of(kwasm.program(kwasm.links().join("kubectl_complete-plug")).arg("")).success();
        assert_eq!(run.shown(), "exit: 0\n--- stdout\n:0\n--- stderr\n", "{guest}");
    }
    let links = kwasm.links().join("kubectl_complete-plug");
    kwasm.call(["uninstall", "plug"]).success();
    assert!(!links.exists());
}
