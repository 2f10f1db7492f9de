//! Tests of which artifact replaces which, and of the reports about it.

use kwasm_registry::{Artifact, Wrong};
use serde_json::{Value, json};

use super::{at, bytes, call, only};

const VERSION: &str = "org.opencontainers.image.version";

fn hello() -> Artifact {
    Artifact::component(bytes("hello"))
}

fn exits() -> Artifact {
    Artifact::component(bytes("exits"))
}

#[test]
fn who_installs_a_tag_again_is_told_that_it_leads_elsewhere() {
    let registry = Wrong::start().unwrap();
    let reference = super::with_hello(&registry);
    let kwasm = at(&registry);
    kwasm.call(["install", &reference]).success();
    let again = kwasm.call(["install", &reference]).success();
    assert!(!again.stderr.contains("moved"), "{}", again.shown());
    registry.push("acme/hello", "1.0.0", &exits());
    let moved = kwasm.call(["install", &reference]).success();
    assert!(moved.stderr.contains("now: the tag was moved"), "{}", moved.shown());
}

#[test]
fn a_tag_that_is_no_version_is_followed_wherever_it_leads() {
    let registry = Wrong::start().unwrap();
    registry.push("acme/hello", "latest", &hello().annotation(VERSION, "2.0.0"));
    let kwasm = at(&registry);
    kwasm.call(["install", &format!("{}/acme/hello", registry.host())]).success();
    assert_eq!(only(&kwasm)["version"], "2.0.0");
    // Its publisher went back; an older version is reported all the same.
    registry.push("acme/hello", "latest", &exits().annotation(VERSION, "1.0.0"));
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "hello\n");
    let run = kwasm.call(["upgrade"]).success();
    assert!(run.stderr.contains("the tag was moved"), "{}", run.shown());
    assert_eq!(only(&kwasm)["version"], "1.0.0");
}

#[test]
fn a_version_that_was_withdrawn_is_no_reason_to_go_back() {
    let registry = Wrong::start().unwrap();
    registry.push("acme/hello", "1.0.0", &hello());
    registry.push("acme/hello", "1.1.0", &exits());
    let kwasm = at(&registry);
    kwasm.call(["install", "acme:hello"]).success();
    registry.untag("acme/hello", "1.1.0");
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "");
    kwasm.call(["upgrade"]).success();
    assert_eq!(only(&kwasm)["version"], "1.1.0");
}

#[test]
fn one_plugins_trouble_keeps_no_other_from_being_upgraded() {
    let registry = Wrong::start().unwrap();
    for name in ["one", "three", "two"] {
        registry.push(&format!("acme/{name}"), "1.0.0", &hello());
    }
    let kwasm = at(&registry);
    for name in ["one", "three", "two"] {
        kwasm.call(["install", &format!("{}/acme/{name}:1.0.0", registry.host())]).success();
    }
    registry.untag("acme/one", "1.0.0");
    registry.untag("acme/two", "1.0.0");
    registry.push("acme/three", "1.1.0", &exits());
    let run = kwasm.call(["outdated"]).fails(125);
    assert_eq!(run.stdout, "three\n");
    let run = kwasm.call(["upgrade"]).fails(125);
    // Each with what helps, as where it is the only one.
    let alone = kwasm.call(["upgrade", "one"]).fails(127);
    let hint = alone.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap();
    for (beginning, count) in [("kwasm: ", 2), (hint, 2)] {
        let lines = run.stderr.lines().filter(|line| line.starts_with(beginning)).count();
        assert_eq!(lines, count, "{beginning}: {}", run.shown());
    }
    let list: Value = serde_json::from_str(&kwasm.call(["list", "-o", "json"]).success().stdout).unwrap();
    assert_eq!(list[1]["version"], "1.1.0");
    kwasm.call(["upgrade", "three", "three"]).success();
}

#[test]
fn each_of_several_that_cannot_be_installed_is_reported_with_what_helps() {
    let registry = Wrong::start().unwrap();
    let there = super::with_hello(&registry);
    let kwasm = at(&registry);
    let missing = ["one", "two"].map(|name| format!("{}/acme/{name}:1.0.0", registry.host()));
    let alone = kwasm.call(["install", &missing[0]]).fails(127);
    let hint = alone.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap();
    let run = kwasm.call(["install", &missing[0], &there, &missing[1]]).fails(125);
    for reference in &missing {
        let line = format!("kwasm: {reference}: the registry has no such artifact\n{hint}\n");
        assert!(run.stderr.contains(&line), "{line}: {}", run.shown());
    }
    assert_eq!(kwasm.call(["list", "-o", "name"]).success().stdout, "");
}

#[test]
fn all_faults_of_a_trust_file_are_reported_once_whatever_needs_it() {
    let registry = Wrong::start().unwrap();
    let kwasm = at(&registry);
    for name in ["one", "two"] {
        registry.push(&format!("acme/{name}"), "1.0.0", &hello());
        kwasm.call(["install", &format!("{}/acme/{name}:1.0.0", registry.host())]).success();
        registry.push(&format!("acme/{name}"), "1.1.0", &exits());
    }
    let trust = kwasm.home().join("config/kwasm/trust.yaml");
    std::fs::create_dir_all(trust.parent().unwrap()).unwrap();
    let text = "apiVersion: kwasm.dev/v1\nkind: Trust\ndefault: always\nrules:\n- {registry: ghcr.io}\n";
    std::fs::write(&trust, text).unwrap();
    let reference = format!("{}/acme/one:1.1.0", registry.host());
    let told = format!(
        "kwasm: {0}:3: default: it is not one of ignore, require, warn\nhint: write one of them\n\
         kwasm: {0}:5: rules[0].signatures: it is missing\nhint: write `signatures: ignore`, `warn` or `require`\n",
        trust.display()
    );
    for arguments in
        [&["upgrade"][..], &["upgrade", "one"], &["install", &reference, "--as", "x"], &["run", &reference]]
    {
        let run = kwasm.call(arguments).fails(125);
        assert!(run.stderr.ends_with(&told), "{}", run.shown());
        assert_eq!(run.stderr.matches("kwasm: ").count(), 2, "{}", run.shown());
    }
    let doctor = kwasm.call(["doctor"]).fails(125);
    assert!(
        doctor.stderr.ends_with(&told) && doctor.stdout.contains("trust       2 problems\n"),
        "{}",
        doctor.shown()
    );
    let json: Value = serde_json::from_str(&kwasm.call(["doctor", "-o", "json"]).fails(125).stdout).unwrap();
    let check = json.as_array().unwrap().iter().find(|check| check["name"] == "trust").unwrap();
    let what = format!("{}:5", trust.display());
    let problem = json!({"what": what, "why": "rules[0].signatures: it is missing", "cure": "write `signatures: ignore`, `warn` or `require`"});
    assert_eq!(check["problems"][1], problem);
    // More than help anybody are not shown.
    let rules: Vec<String> = (0..30).map(|number| format!("- {{registry: h{number}.example}}\n")).collect();
    let rules = rules.concat();
    std::fs::write(&trust, format!("apiVersion: kwasm.dev/v1\nkind: Trust\nrules:\n{rules}")).unwrap();
    for verb in ["upgrade", "doctor"] {
        let run = kwasm.call([verb]).fails(125);
        assert_eq!(run.stderr.matches("it is missing").count(), 20, "{}", run.shown());
        assert!(run.stderr.ends_with("\nkwasm: and 10 more\n"), "{}", run.shown());
    }
}

#[test]
fn a_grant_stays_with_the_place_through_upgrades() {
    let registry = Wrong::start().unwrap();
    registry.push("acme/hello", "1.0.0", &hello());
    let kwasm = at(&registry);
    let reference = |tag: &str| format!("{}/acme/hello:{tag}", registry.host());
    kwasm.call(["install", &reference("1.0.0"), "--policy", "none"]).success();
    registry.push("acme/hello", "1.1.0", &exits());
    kwasm.call(["upgrade"]).success();
    assert_eq!((&only(&kwasm)["version"], &only(&kwasm)["policy"]), (&"1.1.0".into(), &"none".into()));
    // Another place of the same name inherits nothing.
    registry.push("other/hello", "1.0.0", &hello());
    kwasm.call(["install", &format!("{}/other/hello:1.0.0", registry.host())]).success();
    assert_eq!(only(&kwasm)["policy"], "read-only");
}

#[test]
fn an_upgrade_that_cannot_run_leaves_the_old_one() {
    let registry = Wrong::start().unwrap();
    let reference = super::with_hello(&registry);
    let kwasm = at(&registry);
    kwasm.call(["install", &reference]).success();
    registry.push("acme/hello", "1.1.0", &Artifact::component("no component"));
    kwasm.call(["upgrade"]).fails(126);
    assert_eq!(call(&kwasm, "hello").success().stdout, "hello from kwasm: x\n");
    assert_eq!(only(&kwasm)["version"], "1.0.0");
}

#[test]
fn what_a_configuration_hides_is_found_and_what_it_says_is_shown_as_its_publishers_word() {
    let registry = Wrong::start().unwrap();
    let config = |imports: &[&str]| {
        let component = json!({"imports": imports, "exports": ["wasi:cli/run@0.2.0"]});
        json!({"architecture": "wasm", "os": "wasip2", "component": component}).to_string()
    };
    let artifact = |imports: &[&str]| {
        Artifact::with_config("application/vnd.wasm.config.v0+json", config(imports))
            .layer("application/wasm", bytes("dials"))
            .annotation("org.opencontainers.image.source", "ghcr.io/trusted/dials")
    };
    registry.push("acme/dials", "1", &artifact(&["wasi:cli/stdout@0.2.0"]));
    registry.push("acme/dials", "2", &artifact(&["wasi:http/outgoing-handler@0.2.0"]));
    let kwasm = at(&registry);
    let reference = |tag: &str| format!("{}/acme/dials:{tag}", registry.host());
    let page = kwasm.call(["inspect", &reference("1")]).success().stdout;
    assert!(page.contains("reported by its publisher"), "{page}");
    // No line of the publisher's looks like one of kwasm's.
    assert_eq!(page.lines().filter(|line| line.starts_with("source ")).count(), 1, "{page}");
    let run = kwasm.call(["install", &reference("1")]).fails(126);
    assert!(
        run.stderr.contains("its configuration does not mention wasi:http, which it imports"),
        "{}",
        run.shown()
    );
    kwasm.call(["install", &reference("2"), "--policy", "read-only"]).success();
}
