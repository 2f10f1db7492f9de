//! Tests of looking up signatures: a registry's failure to report them does not count as having none, and
//! other artifacts do not block a plugin.

use kwasm_registry::{Artifact, Fault, Kind, Paging, Wrong};
use serde_json::json;

use super::author::{Attached, Author, attach, carrier, list, listed, put};
use super::evidence::Plugin;

/// Returns the ways in which a registry may not report whether an artifact is signed, with the messages.
fn faults(kind: Kind) -> [(Fault, &'static str); 6] {
    let garbage = |body: &'static str| Fault::body(body).without_header("docker-content-digest");
    let (cut_off, another) = if kind == Kind::Referrers {
        ("its list of referrers cannot be read: EOF", "its list of referrers cannot be read: missing field")
    } else {
        ("its signature is malformed: manifest: EOF", "manifest: there are no layers in it")
    };
    [
        (Fault::cut(), "it cannot be reached: "),
        (Fault::page(), "with a web page: it is not a registry"),
        (Fault::status(500), "500 Internal Server Error"),
        (Fault::status(403), "the registry refuses: "),
        (garbage("{"), cut_off),
        (garbage(r#"{"errors": []}"#), another),
    ]
}

/// Checks that the error of the look-up is the reason of a refusal if a rule requires a signature, and is
/// otherwise reported.
#[track_caller]
fn is_unknown(kind: Kind, fault: &Fault, why: &str) {
    let attached = if kind == Kind::Referrers { Attached::Referrer } else { Attached::Simple };
    for asked in [false, true] {
        let plugin = Plugin::new(attached.registry());
        plugin.team.sign(&plugin.registry, &plugin.digest, attached);
        if asked {
            plugin.ask("require", "{anyOf: [team.pub]}");
        }
        if kind == Kind::Manifest {
            // The artifact's own manifest is available; the tag of its signatures is not.
            plugin.registry.fault(Fault::headers().on(kind));
        }
        plugin.registry.fault(fault.clone().on(kind).standing());
        let run = plugin.install();
        let run = if asked { run.fails(126) } else { run.success() };
        let said = "hello:1.0.0: cannot determine whether it is signed: ";
        assert!(run.stderr.contains(said) && run.stderr.contains(why), "{kind:?}: {}", run.shown());
        assert!(!run.stderr.contains("is not signed"), "{kind:?}: {}", run.shown());
        assert_eq!(plugin.kwasm.call(["list"]).success().stdout.is_empty(), asked);
    }
}

#[test]
fn a_look_up_that_fails_is_no_lack_of_a_signature() {
    // Some of them are tried again and again.
    std::thread::scope(|scope| {
        for kind in [Kind::Referrers, Kind::Manifest] {
            for (fault, why) in faults(kind) {
                scope.spawn(move || is_unknown(kind, &fault, why));
            }
        }
    });
}

#[test]
fn a_list_that_ends_before_its_last_page_is_none() {
    let paged = |paging| {
        let plugin = Plugin::new(Wrong::builder().referrer_pages(1, paging).start().unwrap());
        for author in [&Author::new(), &plugin.team] {
            author.sign(&plugin.registry, &plugin.digest, Attached::Referrer);
        }
        plugin
    };
    let plugin = paged(Paging::Relative);
    plugin.verify().success();
    plugin.registry.fault(Fault::headers().on(Kind::Referrers));
    plugin.registry.fault(Fault::status(404).on(Kind::Referrers));
    let run = plugin.verify().fails(126);
    assert!(run.stderr.contains("ends before its last page"), "{}", run.shown());
    let run = paged(Paging::Loop).verify().fails(126);
    assert!(run.stderr.contains("does not end"), "{}", run.shown());
    let run = paged(Paging::Elsewhere).verify().fails(126);
    assert!(run.stderr.contains("its next page is at another host"), "{}", run.shown());
}

#[test]
fn a_registry_that_knows_no_such_address_has_the_tag() {
    for status in [400, 404, 405] {
        let plugin = Plugin::new(Attached::Index.registry());
        plugin.team.sign(&plugin.registry, &plugin.digest, Attached::Index);
        plugin.registry.fault(Fault::status(status).on(Kind::Referrers).standing());
        let run = plugin.verify().success();
        assert!(run.stderr.contains("is signed by team.pub"), "{status}: {}", run.shown());
    }
}

#[test]
fn what_refers_to_a_plugin_and_signs_nothing_is_passed_over() {
    let plugin = Plugin::new(Attached::Referrer.registry());
    let subject = json!({"digest": plugin.digest, "size": 500, "mediaType": "x"});
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [], "subject": subject,
    });
    plugin.registry.put_manifest("acme/hello", index.to_string());
    // An index without its media type is found out when it is read.
    let index = json!({"schemaVersion": 2, "manifests": [], "subject": subject});
    plugin.registry.put_manifest("acme/hello", index.to_string());
    let long = vec![b' '; 2 << 20];
    put(&plugin.registry, &carrier(&plugin.digest, &long));
    let report =
        Artifact::with_config("application/vnd.oci.empty.v1+json", "{}").subject(&plugin.digest, 500);
    put(&plugin.registry, &report.annotation("report", &"x".repeat(2 << 20)));
    plugin.is_refused("it is not signed");
    plugin.team.sign(&plugin.registry, &plugin.digest, Attached::Referrer);
    plugin.verify().success();
    plugin.ask("require", "{anyOf: [team.pub]}");
    plugin.install().success();
}

#[test]
fn a_referrer_by_another_algorithm_hides_no_signature() {
    let plugin = Plugin::new(Attached::Index.registry());
    let signature = plugin.team.sign(&plugin.registry, &plugin.digest, Attached::Index);
    let longer = format!("sha512:{}", "0".repeat(128));
    list(&plugin.registry, &plugin.digest, &[listed(&longer), listed(&signature)]);
    plugin.verify().success();
    list(&plugin.registry, &plugin.digest, &[listed("sha256:0"), listed(&signature)]);
    let run = plugin.verify().fails(126);
    assert!(run.stderr.contains("its list of referrers cannot be read"), "{}", run.shown());
}

#[test]
fn a_scanners_reports_hide_no_signature_however_many_they_are() {
    let plugin = Plugin::new(Attached::Referrer.registry());
    for day in 0..100 {
        let report = Artifact::with_config("application/vnd.oci.empty.v1+json", "{}")
            .layer("application/spdx+json", format!("{{\"day\": {day}}}"))
            .field("artifactType", "application/spdx+json");
        put(&plugin.registry, &report.subject(&plugin.digest, 500));
        let attestation = carrier(&plugin.digest, format!("{{\"day\": {day}}}").as_bytes());
        let stated = attestation.annotation("dev.sigstore.bundle.predicateType", "https://spdx.dev/Document");
        put(&plugin.registry, &stated);
    }
    plugin.team.sign(&plugin.registry, &plugin.digest, Attached::Referrer);
    plugin.team.sign(&plugin.registry, &plugin.digest, Attached::Simple);
    plugin.verify().success();
    plugin.ask("require", "{anyOf: [team.pub]}");
    plugin.install().success();
}

#[test]
fn signatures_are_counted_before_any_is_fetched() {
    let too_many = |plugin: &Plugin| {
        let run = plugin.verify().fails(126);
        assert!(run.stderr.contains("it has 65 signatures, and at most 64 are checked"), "{}", run.shown());
        assert_eq!(plugin.registry.requests_for(Kind::Blob).len(), 0);
    };
    let plugin = Plugin::new(Attached::Referrer.registry());
    for number in 0..65_u8 {
        attach(&plugin.registry, &plugin.digest, Attached::Referrer, &[number]);
    }
    too_many(&plugin);
    // One content may be named as often as there is room for in a manifest.
    let naming = |times: usize| {
        let plugin = Plugin::new(Attached::Referrer.registry());
        let bundle = plugin.team.bundle(&plugin.digest);
        let layer = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "digest": plugin.registry.put_blob(bundle.clone()), "size": bundle.len(),
        });
        put(&plugin.registry, &carrier(&plugin.digest, b"").field("layers", vec![layer; times]));
        plugin
    };
    too_many(&naming(65));
    let plugin = naming(64);
    plugin.verify().success();
    assert_eq!(plugin.registry.requests_for(Kind::Blob).len(), 1);
}
