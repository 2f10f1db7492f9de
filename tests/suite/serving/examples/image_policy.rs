//! `image-policy`, with what cosign signed in distribution, and with registries that do wrong.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use kwasm_registry::{Fault, Kind, Side, Tokens, Wrong};
use serde_json::{Value, json};

use super::super::Server;
use super::super::admission::Files;
use super::{Reviewed, namespace, review, review_at, said};
use crate::support::{Kwasm, Layout, component, open_registry, real, registry};

/// Hosts of loopback, as a policy grants them.
fn hosts(hosts: &[&str]) -> String {
    let entry = |host: &&str| {
        let (name, port) = host.rsplit_once(':').unwrap();
        format!("{{host: {name}, port: {port}, private: true}}")
    };
    format!("{{network: [{}]}}", hosts.iter().map(entry).collect::<Vec<_>>().join(", "))
}

fn rules(host: &str, key: &str, tags: &str) -> String {
    json!({"images": [{"match": format!("{host}/*"), "tags": tags, "keys": [key]}]}).to_string()
}

fn pod(namespace: &str, name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "a", "image": image}]},
    })
}

#[test]
fn what_cosign_signed_runs_and_nothing_else() {
    let Some(real) = real("serving::examples::image_policy") else { return };
    let programs = ["oras", "cosign"];
    let Some(registry) = open_registry("serving::examples::image_policy", &programs) else { return };
    let kwasm = registry.kwasm();
    let host = registry.access().host();
    let (signed, other) = (registry.repository(&kwasm, "shop"), registry.repository(&kwasm, "other"));
    let [key, stranger] = ["team", "stranger"].map(|name| registry.key_pair(&kwasm, name));
    let digest = registry.push(&kwasm, &format!("{signed}:1.0.0"), &component("hello"));
    registry.sign(&kwasm, &key, Layout::Simple, &signed, &digest);
    let strange = registry.push(&kwasm, &format!("{other}:1.0.0"), &component("exits"));
    registry.sign(&kwasm, &stranger, Layout::Simple, &other, &strange);

    let kwasm = kwasm.variable("SSL_CERT_FILE", registry.authority());
    let files = Files::new(&kwasm);
    let granted = kwasm.write_policy(&hosts(&[host]));
    let rules = rules(host, &fs::read_to_string(&key.public).unwrap(), "deny");
    let options = ["--webhook", "--policy", &granted, "--", "--rules-text", &rules];
    let server = files.serve(&kwasm, "image-policy", &options);
    let probe = pod("signed", "probe", "nowhere.example/a:1");
    let reviewed = Reviewed::new(real, &[namespace("signed", &json!({}))], &server, &files, &probe);

    let pinned = format!("{signed}@{digest}");
    reviewed.admitted(&pod("signed", "web", &pinned));
    for (image, why) in [
        (format!("{signed}:1.0.0"), "it is named by the tag `1.0.0`"),
        (format!("{signed}@{strange}"), "it is not signed"),
        (format!("{other}@{strange}"), "none of its signatures is of this image and by a key of the rules"),
        (format!("docker.io/library/nginx@{digest}"), "no rule allows images of this repository"),
    ] {
        let denied = reviewed.denied(&pod("signed", "other", &image));
        assert!(denied.contains(why), "{image}: {denied}");
    }
    // What runs can be changed when its registry is away; and another image cannot come with the change.
    let moved = registry.repository(&kwasm, "gone");
    let label = reviewed.kubectl(&["label", "pod", "web", "-n", "signed", "seen=yes"]);
    assert!(label.status.success(), "{label:?}");
    let changed =
        reviewed.kubectl(&["set", "image", "pod/web", "-n", "signed", &format!("a={moved}@{digest}")]);
    assert!(said(&changed).contains("it is not signed"), "{changed:?}");
}

#[test]
fn a_host_that_the_policy_does_not_name_and_a_login_end_in_denials_that_say_so() {
    let Some(registry) = registry("serving::examples::image_policy", &["cosign"]) else { return };
    let kwasm = registry.kwasm().variable("SSL_CERT_FILE", registry.authority());
    let host = registry.access().host();
    let rules = rules(host, include_str!("../../../fixtures/signatures/ecdsa.pub"), "warn");
    for (spec, why) in [
        (hosts(&[host]), "wants a login, and gives none to everybody"),
        ("{}".to_owned(), "is not a host of the policy's `network`"),
    ] {
        let granted = kwasm.write_policy(&spec);
        let options = ["--webhook", "--policy", &granted, "--", "--rules-text", &rules];
        let server = Server::of(&kwasm, "image-policy", &options);
        let response = review(&server, "shop", "Pod", &pod("shop", "web", &format!("{host}/shop:1")));
        assert_eq!(response["allowed"], false);
        let message = response["status"]["message"].as_str().unwrap();
        assert!(message.contains(why), "{message}");
    }
}

const DIGEST: &str = "840b7ab73ab656afd63ba4bec8b7b5bdb3a8423d810dbe54adf972c3faf20e19";

/// A registry with the image of the fixtures and its signature, which gives tokens to everybody and has its blobs elsewhere.
fn cloudy() -> Wrong {
    let registry = Wrong::builder().tokens(Tokens::anonymous()).blobs_elsewhere().start().unwrap();
    let image = registry.put_manifest("shop/app", include_str!("../../../fixtures/signatures/manifest.json"));
    assert_eq!(image, format!("sha256:{DIGEST}"));
    registry.tag("shop/app", "1.0.0", &image);
    registry.put_blob(include_str!("../../../fixtures/signatures/ecdsa-simple-payload.json"));
    let manifest = include_str!("../../../fixtures/signatures/ecdsa-simple-manifest.json");
    let signature = registry.put_manifest("shop/app", manifest);
    registry.tag("shop/app", &format!("sha256-{DIGEST}.sig"), &signature);
    registry
}

#[test]
fn tokens_redirects_and_tags_are_followed_and_a_registry_that_fails_admits_nothing() {
    let registry = cloudy();
    let kwasm = Kwasm::new();
    let authority = registry.access().write_authority(kwasm.home()).unwrap();
    let kwasm = kwasm.variable("SSL_CERT_FILE", authority);
    let (host, blobs) = (registry.host(), registry.base(Side::Elsewhere));
    let granted = kwasm.write_policy(&hosts(&[host, blobs.trim_start_matches("https://")]));
    let rules = rules(host, include_str!("../../../fixtures/signatures/ecdsa.pub"), "warn");
    let options = ["--webhook", "--policy", &granted, "--", "--rules-text", &rules];
    let server = Server::of(&kwasm, "image-policy", &options);
    let response = |image: &str| review(&server, "shop", "Pod", &pod("shop", "web", image));
    let image = format!("{host}/shop/app:1.0.0");
    let good = response(&image);
    assert_eq!(good["allowed"], true, "{good}");
    let warning = format!("image {image}: the tag `1.0.0` may mean another image when a node pulls it");
    assert_eq!(good["warnings"], json!([warning]));
    // The token went to the registry alone.
    let elsewhere =
        registry.requests().into_iter().find(|received| received.side == Side::Elsewhere).unwrap();
    assert_eq!(elsewhere.header("authorization"), None);
    for (fault, why) in [
        (Fault::status(503).on(Kind::Manifest), "answered with 503"),
        (Fault::page().on(Kind::Manifest), "is not signed"),
        // The first answer is that a token is needed.
        (Fault::endless().on(Kind::Manifest).times(2), "has more than 4194304 bytes"),
        (Fault::cut_after(10).on(Kind::Manifest).times(2), "incomplete"),
        (Fault::corrupt().on(Kind::Blob).at(Side::Elsewhere), "lied about a blob"),
        (Fault::status(404).on(Kind::Blob).at(Side::Elsewhere), "answered with 404"),
        (Fault::redirect("https://127.0.0.1:1/x").on(Kind::Blob), "is not a host of the policy's `network`"),
        (Fault::redirect("http://127.0.0.1:1/x").on(Kind::Blob), "a blob is not at a server by https"),
    ] {
        registry.fault(fault);
        let denied = response(&image);
        assert_eq!(denied["allowed"], false, "{why}");
        assert!(denied["status"]["message"].as_str().unwrap().contains(why), "{why}: {denied}");
        registry.clear_faults();
        assert_eq!(response(&image)["allowed"], true, "after {why}");
    }
}

/// Returns the name of a registry that takes connections and says nothing on them.
fn silent() -> (TcpListener, String) {
    // The system takes them, as long as there is somebody who might.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    (listener, host)
}

#[test]
fn a_registry_that_is_too_slow_is_denied_in_time_and_one_that_is_just_slow_is_not() {
    let registry = cloudy();
    let kwasm = Kwasm::new();
    let authority = registry.access().write_authority(kwasm.home()).unwrap();
    let kwasm = kwasm.variable("SSL_CERT_FILE", authority);
    let (_listener, silent) = silent();
    let (host, blobs) = (registry.host(), registry.base(Side::Elsewhere));
    let granted = kwasm.write_policy(&hosts(&[host, &silent, blobs.trim_start_matches("https://")]));
    let key = include_str!("../../../fixtures/signatures/ecdsa.pub");
    let rules = json!({"images": [{"match": format!("{host}/*"), "keys": [key]},
        {"match": format!("{silent}/*"), "keys": [key]}]});
    let options = ["--webhook", "--policy", &granted, "--", "--rules-text", &rules.to_string()];
    let server = Server::of(&kwasm, "image-policy", &options);
    let response = |object: &Value| {
        let began = Instant::now();
        let response = review_at(&server, "/?timeout=2s", "shop", "Pod", object);
        // kwasm would end it, without a verdict, at nine tenths of what the API server waits.
        assert!(began.elapsed() < Duration::from_millis(1_800), "{:?}", began.elapsed());
        response
    };
    let image = format!("{host}/shop/app@sha256:{DIGEST}");
    let good = pod("shop", "web", &image);
    for (fault, from) in [
        (Fault::stall_after(10).on(Kind::Manifest).times(2), host),
        (Fault::slow(1, Duration::from_millis(100)).on(Kind::Manifest).times(2), host),
        (Fault::slow(1, Duration::from_millis(100)).on(Kind::Blob).at(Side::Elsewhere), host),
    ] {
        registry.fault(fault.clone());
        let denied = response(&good);
        let why =
            format!("image {image}: it could not be verified in time: {from} has not answered within 1.4s");
        assert_eq!(denied["status"]["message"], why, "{fault:?}");
        registry.clear_faults();
        assert_eq!(response(&good)["allowed"], true, "after {fault:?}");
    }
    registry.fault(Fault::slow(64, Duration::from_millis(5)).on(Kind::Manifest).standing());
    assert_eq!(response(&good)["allowed"], true);

    // Each that was not verified is named, and what could be judged meanwhile has its own reason.
    let names = [
        &*image,
        "nowhere.example/a:1",
        &*format!("{silent}/b@sha256:{DIGEST}"),
        &*format!("{silent}/c@sha256:{DIGEST}"),
    ];
    let mut several = good.clone();
    several["spec"]["containers"] = names.iter().map(|name| json!({"image": name})).collect();
    let denied = response(&several);
    let message = denied["status"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("{silent} has not answered within 1.4s")), "{message}");
    assert!(message.contains(&format!("1.4s were over before {silent} was asked")), "{message}");
    assert!(message.contains("image nowhere.example/a:1: no rule allows"), "{message}");
    assert!(names[2..].iter().all(|name| message.contains(&format!("image {name}: it could not be"))));
}

#[test]
fn a_slow_registry_admits_nothing_even_where_the_failure_policy_would() {
    let Some(real) = real("serving::examples::image_policy") else { return };
    let kwasm = Kwasm::new();
    let (_listener, silent) = silent();
    let files = Files::new(&kwasm);
    let granted = kwasm.write_policy(&hosts(&[&silent]));
    let rules = rules(&silent, include_str!("../../../fixtures/signatures/ecdsa.pub"), "deny");
    let options = ["--webhook", "--policy", &granted, "--", "--rules-text", &rules];
    let server = files.serve(&kwasm, "image-policy", &options);
    let probe = pod("slow", "probe", "nowhere.example/a:1");
    let reviewed = Reviewed::new(real, &[namespace("slow", &json!({}))], &server, &files, &probe);
    let patch = json!([
        {"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"},
        {"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 2},
    ]);
    let patched = reviewed.kubectl(&[
        "patch",
        "validatingwebhookconfiguration",
        "slow",
        "--type=json",
        "-p",
        &patch.to_string(),
    ]);
    assert!(patched.status.success(), "{}", said(&patched));
    // The API server learns of that a little later, and says then how long it waits.
    let slow = pod("slow", "web", &format!("{silent}/shop@sha256:{DIGEST}"));
    while !reviewed.denied(&slow).contains(&format!("{silent} has not answered within 1.4s")) {}
}

#[test]
fn rules_that_cannot_be_read_admit_nothing() {
    let kwasm = Kwasm::new();
    for (arguments, why) in [
        (&["--rules-text", "images: [{match: a.example}]"][..], "no image can be judged: the rules: "),
        (&["--rules-from", "policies/images"], "no image can be judged: "),
        (&[], "one of --rules-text and --rules-from is needed"),
    ] {
        let options = [&["--webhook", "--policy", "none", "--"], arguments].concat();
        let server = Server::of(&kwasm, "image-policy", &options);
        let response = review(&server, "shop", "Pod", &pod("shop", "web", "a.example/b:1"));
        assert_eq!(response["allowed"], false);
        assert!(response["status"]["message"].as_str().unwrap().contains(why), "{response}");
    }
}
