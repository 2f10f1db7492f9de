//! Tests of registries that do not report whether an artifact is signed: that only blocks artifacts that have
//! to be signed, or whose predecessor was.

use kwasm_registry::{Artifact, Fault, Kind, Wrong};
use serde_json::json;

use super::author::{Attached, list};
use super::evidence::Plugin;
use crate::registries::{bytes, only};

const UNKNOWN: &str = "hello:1.0.0: cannot determine whether it is signed: ";

/// Installs what no rule is about, and says what was said.
fn installed(plugin: &Plugin) -> String {
    let said = plugin.install().success().stderr.replace(plugin.registry.host(), "HOST");
    let page = plugin.kwasm.call(["inspect", &plugin.reference()]).success().stdout;
    let unknown = said.contains("it is not known whether HOST/acme/hello:1.0.0 is signed");
    assert_eq!(page.contains("signatures  unknown"), unknown, "{page}");
    assert_eq!(only(&plugin.kwasm)["signed"], false);
    said
}

/// Returns the message if a rule requires a signature.
fn required(plugin: &Plugin) -> String {
    plugin.kwasm.call(["uninstall", "hello"]).success();
    plugin.ask("require", "{anyOf: [team.pub]}");
    let said = plugin.install().fails(126).stderr;
    assert_eq!(plugin.kwasm.call(["list"]).success().stdout, "");
    said
}

#[test]
fn a_registry_that_takes_the_tag_for_the_digest_has_no_list_of_referrers() {
    let plugin = Plugin::new(Wrong::builder().digests_as_tags().start().unwrap());
    let said = installed(&plugin);
    assert!(said.contains("HOST/acme/hello:1.0.0 is not signed") && !said.contains("warning"), "{said}");
    assert!(required(&plugin).contains("it is not signed"));
    // Signatures of the older layout are behind another tag.
    plugin.team.sign(&plugin.registry, &plugin.digest, Attached::Simple);
    plugin.install().success();
    assert_eq!(only(&plugin.kwasm)["signers"][0], "team.pub");
}

#[test]
fn a_manifest_behind_the_tag_of_a_list_is_none() {
    let plugin = Plugin::new(Wrong::start().unwrap());
    let other = Artifact::component(bytes("exits"));
    plugin.registry.push("acme/hello", &plugin.digest.replace(':', "-"), &other);
    let said = installed(&plugin);
    assert!(said.contains("HOST/acme/hello:1.0.0 is not signed") && !said.contains("warning"), "{said}");
    assert!(required(&plugin).contains("it is not signed"));
}

#[test]
fn a_registry_that_does_not_say_stops_only_what_requires_a_signature() {
    let json = |body| Wrong::builder().referrers_answered_by("application/json", body);
    for (builder, why) in [
        (Wrong::builder().referrers_refused(), "the registry refuses: you are not logged in: unauthorized"),
        (Wrong::builder().referrers_answered_by("text/html", "<html></html>"), "it answers with a web page"),
        (json(""), "its list of referrers cannot be read"),
        (json("{}"), "its list of referrers cannot be read"),
        (json("[]"), "its list of referrers cannot be read"),
        (json(r#"{"errors": []}"#), "its list of referrers cannot be read"),
    ] {
        let plugin = Plugin::new(builder.start().unwrap());
        let said = installed(&plugin);
        let warning = format!("warning: HOST/acme/{UNKNOWN}");
        assert!(said.contains(&warning) && said.contains(why), "{said}");
        assert!(said.contains("{registry: HOST/acme/hello, signatures: ignore}"), "{said}");
        assert!(!said.contains("is not signed"), "{said}");
        plugin.ask("warn", "{anyOf: [team.pub]}");
        let run = plugin.install().success();
        assert!(run.stderr.contains("warning: ") && run.stderr.contains(UNKNOWN), "{}", run.shown());
        let said = required(&plugin);
        assert!(said.contains(UNKNOWN) && said.contains(why) && !said.contains("ignore"), "{said}");
        plugin.verify().fails(126);
        // By the cure that is named nothing is asked.
        plugin.ask("ignore", "{anyOf: [team.pub]}");
        let asked = plugin.registry.requests_for(Kind::Referrers).len();
        let run = plugin.install().success();
        assert!(!run.stderr.contains("warning"), "{}", run.shown());
        assert_eq!(plugin.registry.requests_for(Kind::Referrers).len(), asked);
    }
}

#[test]
fn what_was_signed_before_is_not_replaced_by_what_may_not_be() {
    for status in [401, 403, 406, 422] {
        let plugin = Plugin::new(Attached::Referrer.registry());
        plugin.team.sign(&plugin.registry, &plugin.digest, Attached::Referrer);
        plugin.install().success();
        let before = only(&plugin.kwasm);
        plugin.registry.push("acme/hello", "1.1.0", &Artifact::component(bytes("exits")));
        plugin.registry.fault(Fault::status(status).on(Kind::Referrers).standing());
        for verb in [vec!["install", &plugin.reference()], vec!["upgrade"]] {
            let run = plugin.kwasm.call(verb).fails(126);
            assert!(run.stderr.contains("cannot determine whether it is signed"), "{}", run.shown());
            assert!(!run.stderr.contains("signatures: ignore"), "{}", run.shown());
            assert_eq!(only(&plugin.kwasm), before);
        }
    }
}

#[test]
fn a_list_with_nothing_in_it_is_one() {
    let plugin = Plugin::new(Wrong::start().unwrap());
    list(&plugin.registry, &plugin.digest, &[]);
    assert!(installed(&plugin).contains("HOST/acme/hello:1.0.0 is not signed"));
    let none = json!({"schemaVersion": 2, "manifests": null}).to_string();
    let none = plugin.registry.put_manifest("acme/hello", none);
    plugin.registry.tag("acme/hello", &plugin.digest.replace(':', "-"), &none);
    assert!(installed(&plugin).contains("HOST/acme/hello:1.0.0 is not signed"));
}
