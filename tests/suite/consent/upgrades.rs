//! An upgrade that requests more keeps the version that is installed; one that requests the same or less is taken.

use kwasm_registry::{Artifact, Wrong};

use super::{PODS, PODS_LINE, SECRETS, effective, request};
use crate::registries::{at, bytes};
use crate::support::{Kwasm, asked_on_terminal, registry};

/// Pushes a version of a plugin with a request, or without one. No version has the content of another.
fn push(registry: &Wrong, version: &str, asked: Option<&str>) {
    let content = match asked {
        Some(rules) => {
            let text = format!("{}# {version}\n", request(rules));
            kwasm::inspect::embed(&bytes("dials"), &text).unwrap()
        }
        None => bytes("dials"),
    };
    registry.push("acme/asks", version, &Artifact::component(content));
}

fn version(kwasm: &Kwasm) -> String {
    let list = kwasm.call(["list", "-o", "json"]).success().stdout;
    let rows: serde_json::Value = serde_json::from_str(&list).unwrap();
    rows[0]["version"].as_str().unwrap().to_owned()
}

fn installed(registry: &Wrong, asked: Option<&str>, policy: &str) -> Kwasm {
    push(registry, "1.0.0", asked);
    let kwasm = at(registry);
    kwasm.call(["install", "acme:asks", "--policy", policy]).success();
    kwasm
}

#[test]
fn one_that_requests_more_is_held_and_the_difference_is_shown_rule_by_rule() {
    let registry = Wrong::start().unwrap();
    let kwasm = installed(&registry, Some(PODS), "request");
    push(
        &registry,
        "1.1.0",
        Some(&format!("{PODS}, {SECRETS}, {{nonResourceURLs: [/metrics], verbs: [get]}}")),
    );
    let run = kwasm.call(["upgrade"]).fails(126);
    let lines: Vec<&str> = run.stderr.lines().skip_while(|line| !line.starts_with("kwasm: ")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    kwasm: asks: it requests more, so the installed version stays: get secrets in the current namespace; get /metrics
    hint: kwasm upgrade asks --policy request grants what the new version requests
    ");
    assert_eq!(version(&kwasm), "1.0.0");
    assert_eq!(effective(&kwasm, "asks"), [PODS_LINE]);
    // The one that was there still runs.
    let server = crate::support::seed();
    let kwasm = kwasm.kubeconfig(crate::support::kubeconfig(&server, kwasm_apiserver::User::Token));
    let pods = "http://192.0.2.1/api/v1/namespaces/default/pods";
    let run = crate::support::Run::of(kwasm.program(kwasm.links().join("kubectl-asks")).arg(pods));
    assert!(run.stdout.starts_with("status 200"), "{}", run.shown());
    kwasm.call(["upgrade", "asks", "--policy", "request"]).success();
    assert_eq!(version(&kwasm), "1.1.0");
    assert_eq!(effective(&kwasm, "asks").len(), 3);
}

#[test]
fn on_a_terminal_the_difference_is_asked_about() {
    for (typed, code, after) in [("n\n", 126, "1.0.0"), ("a\n", 0, "1.1.0"), ("o\n", 0, "1.1.0")] {
        let registry = Wrong::start().unwrap();
        let kwasm = installed(&registry, Some(PODS), "request");
        push(&registry, "1.1.0", Some(&format!("{PODS}, {SECRETS}")));
        let (ended, terminal) = asked_on_terminal(&mut kwasm.command(["upgrade"]), typed);
        assert_eq!(ended, Some(code), "{terminal}");
        assert!(terminal.contains("\n+ get secrets in the current namespace\n"), "{terminal}");
        assert_eq!(version(&kwasm), after);
        let lines = if typed == "a\n" { 2 } else { 1 };
        assert_eq!(effective(&kwasm, "asks").len(), lines, "{typed}");
    }
}

#[test]
fn one_that_requests_the_same_or_less_is_taken_with_the_grant_that_there_was() {
    for asked in [format!("{PODS}, {SECRETS}"), PODS.to_owned(), PODS.replace("Shows them.", "Other words.")]
    {
        let registry = Wrong::start().unwrap();
        let kwasm = installed(&registry, Some(&format!("{PODS}, {SECRETS}")), "read-only");
        push(&registry, "1.1.0", Some(&asked));
        kwasm.call(["upgrade"]).success();
        assert_eq!(version(&kwasm), "1.1.0");
        // What was not granted before is not now.
        assert_eq!(effective(&kwasm, "asks"), [PODS_LINE]);
        // A policy for what requests more is for nothing else.
        push(&registry, "1.2.0", Some(&asked));
        kwasm.call(["upgrade", "--policy", "request"]).success();
        assert_eq!(version(&kwasm), "1.2.0");
        assert_eq!(effective(&kwasm, "asks"), [PODS_LINE]);
    }
}

#[test]
fn one_whose_request_is_gone_is_held_and_one_that_first_has_one_is_taken() {
    let registry = Wrong::start().unwrap();
    let kwasm = installed(&registry, Some(PODS), "cluster");
    push(&registry, "1.1.0", None);
    let run = kwasm.call(["upgrade"]).fails(126);
    assert!(run.stderr.contains("it no longer says what it needs"), "{}", run.shown());
    assert_eq!(version(&kwasm), "1.0.0");
    let registry = Wrong::start().unwrap();
    let kwasm = installed(&registry, None, "read-only");
    push(&registry, "1.1.0", Some(PODS));
    kwasm.call(["upgrade"]).success();
    assert_eq!((version(&kwasm).as_str(), effective(&kwasm, "asks")), ("1.1.0", vec![PODS_LINE.to_owned()]));
}

#[test]
fn another_source_of_the_same_name_inherits_nothing() {
    let registry = Wrong::start().unwrap();
    let kwasm = installed(&registry, Some(PODS), "request");
    let content = kwasm::inspect::embed(&bytes("dials"), &request(PODS)).unwrap();
    registry.push("other/asks", "1.0.0", &Artifact::component(content));
    let other = format!("{}/other/asks:1.0.0", registry.host());
    let run = kwasm.call(["install", &other]).fails(2);
    assert!(run.stderr.contains("it is not decided what it may do"), "{}", run.shown());
    // From the same source nothing needs to be said again.
    kwasm.call(["install", "acme:asks"]).success();
}

#[test]
fn another_signer_inherits_nothing() {
    let Some(registry) = registry("consent::another_signer", &["oras", "cosign"]) else { return };
    let kwasm = registry.kwasm();
    let repository = registry.repository(&kwasm, "asks");
    let folder = kwasm.home().join("config/kwasm");
    std::fs::create_dir_all(&folder).unwrap();
    let file = super::asking(&kwasm, &request(PODS));
    for (key, version) in [("team", "1.0.0"), ("other", "1.1.0")] {
        let pair = registry.key_pair(&kwasm, key);
        let digest = registry.push(&kwasm, &format!("{repository}:{version}"), &file);
        registry.sign(&kwasm, &pair, crate::support::Layout::Bundle, &repository, &digest);
        std::fs::copy(kwasm.home().join(format!("{key}.pub")), folder.join(format!("{key}.pub"))).unwrap();
        // Another annotation, so that the second version is another artifact.
        std::fs::write(
            &file,
            kwasm::inspect::embed(&bytes("dials"), &format!("{}# 2\n", request(PODS))).unwrap(),
        )
        .unwrap();
    }
    let host = registry.access().host();
    let trust = format!(
        "apiVersion: kwasm.dev/v1\nkind: Trust\nrules:\n- registry: {host}\n  signatures: require\n  keys: {{anyOf: [team.pub, other.pub]}}\n"
    );
    std::fs::write(folder.join("trust.yaml"), trust).unwrap();
    kwasm.call(["install", &format!("{repository}:1.0.0"), "--policy", "request"]).success();
    let run = kwasm.call(["upgrade"]).fails(126);
    assert!(run.stderr.contains("a grant belongs to the source and its signer"), "{}", run.shown());
    assert_eq!(version(&kwasm), "1.0.0");
    kwasm.call(["upgrade", "asks", "--policy", "request"]).success();
    assert_eq!(version(&kwasm), "1.1.0");
}
