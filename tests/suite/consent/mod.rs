//! What a plugin may do is decided before it is installed: by a flag, by what it was granted before, or by an answer on
//! the terminal.

mod ceiling;
mod grants;
mod pages;
mod shipped;
mod upgrades;

use std::fs;
use std::path::PathBuf;

use kwasm::inspect::embed;
use serde_json::Value;

use crate::registries::bytes;
use crate::support::{Kwasm, asked_on_terminal};

/// Returns a request of this name, by its rules.
fn request(rules: &str) -> String {
    spec(&format!("{{kubernetes: {{rules: [{rules}]}}}}"))
}

fn spec(spec: &str) -> String {
    format!("apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: asked}}\nspec: {spec}\n")
}

const PODS: &str =
    "{apiGroups: [''], resources: [pods], verbs: [list], namespaces: [current], reason: Shows them.}";
const SECRETS: &str = "{apiGroups: [''], resources: [secrets], verbs: [get], namespaces: [current], reason: Decodes them., optional: true}";

/// Writes a guest that can send requests, with a request, into the home.
fn asking(kwasm: &Kwasm, request: &str) -> PathBuf {
    let path = kwasm.home().join("asks.wasm");
    fs::write(&path, embed(&bytes("dials"), request).unwrap()).unwrap();
    path
}

/// Installs a file on a terminal at which this is typed, and returns the exit code and what is shown.
fn install(kwasm: &Kwasm, file: &str, typed: &str) -> (Option<i32>, String) {
    asked_on_terminal(&mut kwasm.command(["install", file]), typed)
}

/// Returns what `kwasm policy show -o json` says.
fn shown(kwasm: &Kwasm, name: &str) -> Value {
    let run = kwasm.call(["policy", "show", name, "-o", "json"]).success();
    serde_json::from_str(&run.stdout).unwrap()
}

/// Returns the lines of a plugin's effective policy.
pub(crate) fn effective(kwasm: &Kwasm, name: &str) -> Vec<String> {
    let shown = shown(kwasm, name);
    let lines = shown["effective"].as_array().unwrap().iter();
    lines.map(|line| line["line"].as_str().unwrap().to_owned()).collect()
}

const PODS_LINE: &str = r#"{apiGroups: [""], resources: [pods], verbs: [list], namespaces: [current]}"#;
const SECRETS_LINE: &str = r#"{apiGroups: [""], resources: [secrets], verbs: [get], namespaces: [current]}"#;

#[test]
fn each_answer_grants_what_it_says() {
    for (typed, lines) in [
        ("a\n", [PODS_LINE, SECRETS_LINE].as_slice()),
        ("All\n", &[PODS_LINE, SECRETS_LINE]),
        ("o\n", &[PODS_LINE]),
        ("r\n", &[PODS_LINE]),
        // What is no answer is asked again.
        ("yes\nx\na\n", &[PODS_LINE, SECRETS_LINE]),
    ] {
        let kwasm = Kwasm::new();
        asking(&kwasm, &request(&format!("{PODS}, {SECRETS}")));
        let (code, terminal) = install(&kwasm, "./asks.wasm", typed);
        assert_eq!(code, Some(0), "{typed}: {terminal}");
        assert_eq!(effective(&kwasm, "asks"), lines, "{typed}");
    }
}

#[test]
fn no_answer_is_no_and_installs_nothing() {
    for typed in ["n\n", "\n", "no\n", "\u{4}"] {
        let kwasm = Kwasm::new();
        asking(&kwasm, &request(PODS));
        let (code, terminal) = install(&kwasm, "./asks.wasm", typed);
        assert_eq!(code, Some(126), "{typed:?}: {terminal}");
        assert!(terminal.contains("asks: you declined what it requests"), "{terminal}");
        assert_eq!(kwasm.call(["list"]).success().stdout, "");
    }
}

#[test]
fn without_a_terminal_nothing_is_asked_and_the_error_says_what_decides() {
    let kwasm = Kwasm::new();
    asking(&kwasm, &request(&format!("{PODS}, {SECRETS}")));
    let run = kwasm.call(["install", "./asks.wasm"]).fails(2);
    insta::assert_snapshot!(run.stderr, @r"
    kwasm: asks: it is not decided what it may do
    hint: --policy request grants what it requests, which kwasm inspect shows; --policy NAME|FILE grants something else
    ");
    fs::write(kwasm.home().join("plain.wasm"), bytes("dials")).unwrap();
    let run = kwasm.call(["install", "./plain.wasm"]).fails(2);
    insta::assert_snapshot!(run.stderr, @r"
    kwasm: plain: it is not decided what it may do
    hint: it does not say what it needs: --policy NAME|FILE decides, e.g. read-only (without secrets), view, cluster
    ");
    let run = kwasm.call(["install", "./plain.wasm", "--policy", "request"]).fails(2);
    assert!(run.stderr.contains("plain: it has no request"), "{}", run.shown());
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
    kwasm.call(["install", "./asks.wasm", "--policy", "request"]).success();
    assert_eq!(effective(&kwasm, "asks"), [PODS_LINE, SECRETS_LINE]);
    // The narrower of both counts.
    kwasm.call(["install", "./asks.wasm", "--policy", "read-only"]).success();
    assert_eq!(effective(&kwasm, "asks"), [PODS_LINE]);
    kwasm.call(["install", "./asks.wasm", "--policy", "cluster"]).success();
    assert_eq!(effective(&kwasm, "asks"), [PODS_LINE, SECRETS_LINE]);
}

#[test]
fn a_plugin_that_can_reach_nothing_is_not_asked_about() {
    let kwasm = Kwasm::new();
    fs::write(kwasm.home().join("greets.wasm"), bytes("hello")).unwrap();
    let (code, terminal) = install(&kwasm, "./greets.wasm", "");
    assert_eq!(code, Some(0), "{terminal}");
    assert!(terminal.starts_with("installed greets ("), "{terminal}");
}

#[test]
fn a_plugin_that_is_run_with_what_it_requests_gets_no_more() {
    let server = crate::support::seed();
    let kwasm = Kwasm::new()
        .kubeconfig(crate::support::kubeconfig(&server, kwasm_apiserver::User::Token))
        .policy("request");
    asking(&kwasm, &request("{nonResourceURLs: [/version], verbs: [get]}"));
    let run = |policy: &str, path: &str| {
        let url = format!("http://192.0.2.1{path}");
        kwasm.call(["run", "./asks.wasm", "--policy", policy, "--", &url])
    };
    for policy in ["request", "cluster", "read-only"] {
        let answer = run(policy, "/version");
        assert!(answer.stdout.starts_with("status 200"), "{policy}: {}", answer.shown());
        let answer = run(policy, "/healthz");
        assert!(answer.stdout.starts_with("status 403"), "{policy}: {}", answer.shown());
    }
    let refused = run("cluster", "/healthz").stderr;
    insta::assert_snapshot!(refused, @r"
    kwasm: refused: get /healthz: the plugin's own request `asked` does not include it
    hint: no grant exceeds what a plugin requests; its author can add this rule with kwasm policy embed: {nonResourceURLs: [/healthz], verbs: [get]}
    ");
    let answer = run("none", "/version");
    assert!(answer.stderr.contains("the policy `none` does not allow it"), "{}", answer.shown());
}
