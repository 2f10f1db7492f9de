//! One repository has one name: what is asked of it is asked however it is spelled, and wherever a registry sends for it.

use std::fs;

use kwasm_registry::{Artifact, Fault, Kind, Wrong};
use serde_json::{Value, json};

use super::{at, bytes, only};
use crate::support::{Kwasm, Run};

/// Returns a registry without TLS, so that it is found by any name of this machine, with `acme/hello:1.0.0`.
fn registry() -> Wrong {
    let registry = Wrong::builder().plain_http().start().unwrap();
    super::with_hello(&registry);
    registry
}

/// Returns the registry's name and address.
fn names(registry: &Wrong) -> (String, String) {
    (registry.host().to_owned(), registry.host().replace("localhost", "127.0.0.1"))
}

/// Writes trust.yaml: signatures are required of what one rule is about.
fn require(kwasm: &Kwasm, about: &str) {
    asks(kwasm, about, "require");
}

fn asks(kwasm: &Kwasm, about: &str, asked: &str) {
    let folder = kwasm.home().join("config/kwasm");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("team.pub"), include_str!("../../fixtures/signatures/ecdsa.pub")).unwrap();
    let rule = format!("{{{about}, signatures: {asked}, keys: {{anyOf: [team.pub]}}}}");
    let text = format!("apiVersion: kwasm.dev/v1\nkind: Trust\nrules: [{rule}]\n");
    fs::write(folder.join("trust.yaml"), text).unwrap();
}

/// Returns a kwasm to which packages `acme:NAME` are at a registry, as that says itself.
fn with_packages(registry: &Wrong) -> Kwasm {
    let kwasm = at(registry);
    let host = registry.host();
    let text = format!(
        "[namespace_registries]\nacme = \"{host}\"\n\n[registry.\"{host}\".oci]\nprotocol = \"http\"\n"
    );
    fs::write(kwasm.home().join("config/wasm-pkg/config.toml"), text).unwrap();
    kwasm
}

/// Returns a kwasm to which packages `acme:NAME` are in a folder, which has `acme:hello@1.0.0`.
fn with_folder() -> Kwasm {
    let kwasm = at(&registry());
    let root = kwasm.home().join("packages");
    fs::create_dir_all(root.join("acme/hello")).unwrap();
    fs::write(root.join("acme/hello/1.0.0.wasm"), bytes("hello")).unwrap();
    let text = format!(
        "[namespace_registries]\nacme = \"folder.example\"\n\n[registry.\"folder.example\".local]\nroot = \"{}\"\n",
        root.display()
    );
    fs::write(kwasm.home().join("config/wasm-pkg/config.toml"), text).unwrap();
    kwasm
}

fn says(registry: &str, prefix: &str) -> Value {
    json!({"preferredProtocol": "oci", "oci": {"registry": registry, "namespacePrefix": prefix}})
}

#[track_caller]
fn installed(kwasm: &Kwasm, source: &str) -> Run {
    let run = kwasm.call(["install", source]).success();
    kwasm.call(["uninstall", "hello"]).success();
    run
}

#[track_caller]
fn unsigned(kwasm: &Kwasm, source: &str) {
    let run = kwasm.call(["install", source]).fails(126);
    assert!(run.stderr.contains("requires a signature: it is not signed"), "{source}: {}", run.shown());
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
}

#[test]
fn a_rule_holds_whatever_the_spelling_of_the_reference_and_its_own() {
    let registry = registry();
    let kwasm = at(&registry);
    let (name, address) = names(&registry);
    let port = name.split_once(':').unwrap().1;
    for spellings in [
        [name.clone(), name.to_uppercase(), format!("localhost.:{port}"), format!("LocalHost:0{port}")],
        [
            address.clone(),
            format!("127.0.0.1.:{port}"),
            format!("[::ffff:127.0.0.1]:{port}"),
            format!("[0:0::FFFF:7f00:1]:{port}"),
        ],
    ] {
        for rule in &spellings {
            require(&kwasm, &format!("registry: '{rule}/acme'"));
            for reference in &spellings {
                unsigned(&kwasm, &format!("oci://{reference}/acme/hello:1.0.0"));
            }
        }
        unsigned(&kwasm, &format!("{}/acme/hello:1.0.0", spellings[0]));
        require(&kwasm, &format!("registry: '{}/acmes'", spellings[0]));
        for reference in &spellings {
            installed(&kwasm, &format!("oci://{reference}/acme/hello:1.0.0"));
        }
    }
    for disguised in ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"] {
        let run = kwasm.call(["install", &format!("{disguised}:{port}/acme/hello:1.0.0")]).fails(2);
        assert!(
            run.stderr.contains("its host is an address not in the form of four decimal numbers"),
            "{}",
            run.shown()
        );
    }
}

#[test]
fn another_spelling_of_a_place_is_the_same_place() {
    let registry = registry();
    registry.push("acme/hello", "2.0.0", &Artifact::component(bytes("exits")));
    let kwasm = at(&registry);
    let host = registry.host();
    kwasm.call(["install", &format!("{host}/acme/hello:1.0.0"), "--policy", "view"]).success();
    let run = kwasm.call(["install", &format!("oci://{}/acme/hello:2.0.0", host.to_uppercase())]).success();
    assert!(!run.stderr.contains("it replaces"), "{}", run.shown());
    assert_eq!(only(&kwasm)["policy"], "view");
    assert_eq!(only(&kwasm)["source"], format!("{host}/acme/hello:2.0.0"));
}

#[test]
fn a_tag_that_ends_as_files_do_is_followed_like_any_other() {
    let registry = registry();
    registry.push("acme/hello", "new.wasm", &Artifact::component(bytes("hello")));
    let kwasm = at(&registry);
    let reference = format!("oci://{}/acme/hello:new.wasm", registry.host());
    kwasm.call(["install", &reference]).success();
    assert_eq!(only(&kwasm)["source"], reference);
    registry.push("acme/hello", "new.wasm", &Artifact::component(bytes("exits")));
    let run = kwasm.call(["upgrade"]).success();
    assert!(run.stderr.contains("the tag was moved"), "{}", run.shown());
}

#[test]
fn a_registry_that_sends_elsewhere_is_held_to_its_own_rule_too() {
    let registry = registry();
    registry.push("team/acme/hello", "1.0.0", &Artifact::component(bytes("hello")));
    let (name, address) = names(&registry);
    let kwasm = with_packages(&registry);
    for (said, found) in [
        (says(&address, ""), format!("{address}/acme/hello:1.0.0")),
        (says(&name, "team/"), format!("{name}/team/acme/hello:1.0.0")),
    ] {
        registry.say(said);
        for rule in [format!("{name}/acme"), found.rsplit_once(':').unwrap().0.to_owned()] {
            require(&kwasm, &format!("registry: '{rule}'"));
            unsigned(&kwasm, "acme:hello");
            let run = kwasm.call(["run", "acme:hello"]).fails(126);
            assert!(run.stderr.contains("it is not signed"), "{rule}: {}", run.shown());
        }
        require(&kwasm, "registry: other.example");
        let run = installed(&kwasm, "acme:hello");
        assert!(run.stderr.contains(&found), "{}", run.shown());
    }
    // By one name, signatures are ignored; by the other, they are looked up.
    registry.say(says(&address, ""));
    asks(&kwasm, &format!("registry: '{address}'"), "ignore");
    let look_ups = || registry.requests_for(Kind::Referrers).len();
    let before = look_ups();
    installed(&kwasm, "acme:hello");
    assert!(look_ups() > before);
    let before = look_ups();
    installed(&kwasm, &format!("{address}/acme/hello:1.0.0"));
    assert_eq!(look_ups(), before);
}

#[test]
fn a_package_in_a_folder_has_no_signatures_to_be_asked_for() {
    let kwasm = with_folder();
    installed(&kwasm, "acme:hello");
    for rule in ["namespace: acme", "registry: folder.example", "registry: folder.example/acme"] {
        require(&kwasm, rule);
        for verb in ["install", "run", "inspect"] {
            let run = kwasm.call([verb, "acme:hello"]).fails(126);
            let said = "acme:hello@1.0.0: it is in a folder, which holds no signatures: the rule for ";
            assert!(run.stderr.contains(said), "{rule}: {}", run.shown());
        }
        asks(&kwasm, rule, "warn");
        let run = installed(&kwasm, "acme:hello");
        assert!(run.stderr.contains("warning: acme:hello@1.0.0: "), "{}", run.shown());
    }
    require(&kwasm, "namespace: other");
    installed(&kwasm, "acme:hello");
}

#[test]
fn what_a_registry_says_of_itself_is_missed_unless_it_says_nothing() {
    let registry = Wrong::builder().plain_http().start().unwrap();
    registry.push("acme/hello", "1.0.0", &Artifact::component(bytes("exits")));
    registry.push("team/acme/hello", "1.0.0", &Artifact::component(bytes("hello")));
    let kwasm = with_packages(&registry);
    // A registry without such a page has the package under its own name.
    for silence in [None, Some(Fault::page()), Some(Fault::status(401)), Some(Fault::status(403))] {
        registry.clear_faults();
        if let Some(fault) = silence {
            registry.fault(fault.on(Kind::WellKnown).standing());
        }
        let run = installed(&kwasm, "acme:hello");
        assert!(run.stderr.contains(&format!("{}/acme/hello:1.0.0", registry.host())), "{}", run.shown());
    }
    registry.clear_faults();
    registry.say(says(registry.host(), "team/"));
    let run = installed(&kwasm, "acme:hello");
    assert!(run.stderr.contains("/team/acme/hello:1.0.0"), "{}", run.shown());
    for (fault, said) in [
        (Fault::status(503).header("retry-after", "0"), "503 Service Unavailable"),
        (Fault::status(400), "400 Bad Request"),
        (Fault::endless(), "more than 1048576 bytes"),
        (Fault::body("{"), "its metadata at /.well-known/wasm-pkg/registry.json cannot be read"),
        (Fault::cut(), "it cannot be reached"),
    ] {
        registry.clear_faults();
        registry.fault(fault.on(Kind::WellKnown).standing());
        let run = kwasm.call(["install", "acme:hello"]).fails(125);
        assert!(run.stderr.contains(said), "{}", run.shown());
        assert_eq!(kwasm.call(["list"]).success().stdout, "");
    }
}

#[test]
fn a_package_or_a_version_that_is_not_there_is_told_as_that() {
    let registry = registry();
    for kwasm in [with_packages(&registry), with_folder()] {
        let hinted = kwasm.call(["install", "acme:hello@2"]).fails(127);
        assert!(hinted.stderr.contains("it has no such version"), "{}", hinted.shown());
        assert!(hinted.stderr.contains("it has 1.0.0"), "{}", hinted.shown());
        kwasm.call(["install", "acme:hello@1.0.0+build"]).fails(127);
        let run = kwasm.call(["install", "acme:other"]).fails(127);
        assert!(run.stderr.contains("acme"), "{}", run.shown());
        assert!(!run.stderr.contains("the configuration of package registries"), "{}", run.shown());
    }
    // No tag has such a name, whatever the registry lists.
    registry.fault(
        Fault::body(r#"{"name": "acme/hello", "tags": ["1.0.0", "1.0.0+build"]}"#).on(Kind::Tags).standing(),
    );
    let kwasm = with_packages(&registry);
    kwasm.call(["install", "acme:hello@1.0.0+build"]).fails(127);
    installed(&kwasm, "acme:hello");
}
