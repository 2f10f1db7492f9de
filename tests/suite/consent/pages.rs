//! The pages on which a user decides, as they are on a terminal of 80 columns.

use std::fmt::Write as _;
use std::fs;

use super::{PODS, SECRETS, asking, install, request, spec};
use crate::registries::bytes;
use crate::support::Kwasm;

/// Returns what a terminal shows on which the answer's end of line is echoed.
fn answered(terminal: &str) -> String {
    terminal.replace("[N]o? ", "[N]o?\n")
}

/// Returns the page about a plugin with this request; the answer is no.
fn page(request: &str) -> String {
    let kwasm = Kwasm::new();
    asking(&kwasm, request);
    let (code, terminal) = install(&kwasm, "./asks.wasm", "n\n");
    assert_eq!(code, Some(126), "{terminal}");
    let terminal = answered(&terminal);
    for line in terminal.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    terminal
}

#[test]
fn a_plugin_without_a_request_says_so() {
    let kwasm = Kwasm::new();
    fs::write(kwasm.home().join("plain.wasm"), bytes("dials")).unwrap();
    let (code, terminal) = install(&kwasm, "./plain.wasm", "n\n");
    assert_eq!(code, Some(126));
    insta::assert_snapshot!(answered(&terminal));
}

#[test]
fn a_harmless_request_has_no_marks() {
    insta::assert_snapshot!(page(&request(PODS)));
}

#[test]
fn an_optional_rule_can_be_left_out() {
    insta::assert_snapshot!(page(&request(&format!("{PODS}, {SECRETS}"))));
}

#[test]
fn what_is_dangerous_comes_first_and_says_why() {
    insta::assert_snapshot!(page(&spec(
        "{kubernetes: {contexts: '*', impersonate: true, rules: [
           {nonResourceURLs: [/version], verbs: [get], reason: Which version it is.},
           {apiGroups: [''], resources: [pods/exec], verbs: [create], reason: Runs commands.},
           {apiGroups: [apps], resources: [deployments], verbs: [create, delete], reason: Deploys.},
           {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings], verbs: [create]},
           {apiGroups: ['*'], resources: ['*'], verbs: ['*'], reason: Everything else.}]},
          network: [{host: collector.example}], limits: {memory: 2Gi}}"
    )));
}

#[test]
fn the_words_of_a_plugin_are_shown_and_not_obeyed() {
    insta::assert_snapshot!(page(&request(
        r#"{apiGroups: [''], resources: [secrets], verbs: [get], reason: "harmless\e[2K\e[1A\rkwasm: granted \u202eesrever \u061c\ttab"}"#
    )));
}

#[test]
fn of_two_hundred_rules_the_dangerous_ones_are_shown() {
    let mut rules = String::new();
    for number in 0..200 {
        let verb = if number % 10 == 0 { "delete" } else { "get" };
        write!(
            rules,
            "{{apiGroups: [''], resources: [configmaps], verbs: [{verb}], resourceNames: [c{number}]}}, "
        )
        .unwrap();
    }
    insta::assert_snapshot!(page(&request(&rules)));
}
