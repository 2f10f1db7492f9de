//! Tests of broken transfers and of registries with wrong answers: one clear error each, and nothing left
//! behind.

use kwasm_registry::{Artifact, Fault, Kind, Wrong};

use super::{at, bytes, with_hello};
use crate::support::{Kwasm, Run, files};

/// Returns a kwasm with a cache of its own, to check what is left there.
pub(super) fn fresh(registry: &Wrong) -> Kwasm {
    let kwasm = at(registry);
    let cache = kwasm.home().join("cache");
    kwasm.variable("XDG_CACHE_HOME", cache)
}

/// Installs `acme/hello`, which must fail, and returns the message.
#[track_caller]
fn refused(registry: &Wrong, code: i32) -> String {
    let kwasm = fresh(registry);
    let run = kwasm.call(["install", &format!("{}/acme/hello:1.0.0", registry.host())]).fails(code);
    nothing_left(&kwasm);
    said(&run, registry)
}

/// Returns the only error message.
#[track_caller]
fn said(run: &Run, registry: &Wrong) -> String {
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("kwasm: ")).count(), 1, "{}", run.shown());
    run.stderr.replace(registry.host(), "HOST")
}

/// Checks that nothing is kept, neither for an installed plugin nor for the next run.
#[track_caller]
pub(super) fn nothing_left(kwasm: &Kwasm) {
    for folder in [kwasm.home().join("data"), kwasm.links(), kwasm.cache().join("kwasm/fetched")] {
        let left: Vec<_> = files(&folder).into_iter().filter(|file| file != "lock").collect();
        assert_eq!(left, Vec::<String>::new(), "{}", folder.display());
    }
}

/// Faults of a blob after which nothing can be made of it: with the exit code of each, and what is said.
fn fatal() -> [(Fault, i32, &'static str); 5] {
    [
        (Fault::corrupt().on(Kind::Blob), 126, "the content is not what its manifest names"),
        (Fault::body("x").on(Kind::Blob), 126, "and the registry has 1\n"),
        (Fault::page().on(Kind::Blob).standing(), 125, "with a web page: it is not a registry"),
        (Fault::status(404).on(Kind::Blob).standing(), 125, "404 Not Found"),
        (
            Fault::body("{").without_header("docker-content-digest").on(Kind::Manifest),
            126,
            "its manifest cannot be read",
        ),
    ]
}

fn registry_with(fault: Fault) -> Wrong {
    let registry = Wrong::start().unwrap();
    with_hello(&registry);
    registry.fault(fault);
    registry
}

#[track_caller]
fn installed(registry: &Wrong) -> Run {
    let kwasm = at(registry);
    let run = kwasm.call(["install", &format!("{}/acme/hello:1.0.0", registry.host())]).success();
    assert_eq!(super::call(&kwasm, "hello").success().stdout, "hello from kwasm: x\n");
    run
}

#[test]
fn a_transfer_that_is_cut_goes_on_where_it_was() {
    let length = bytes("hello").len() as u64;
    let mut random = fastrand::Rng::with_seed(6);
    for _ in 0..8 {
        let registry = Wrong::start().unwrap();
        with_hello(&registry);
        let after = random.u64(1..length);
        registry.fault(Fault::cut_after(after).on(Kind::Blob));
        installed(&registry);
        let resumed: Vec<_> = registry
            .requests_for(Kind::Blob)
            .iter()
            .filter_map(|it| it.header("range").map(str::to_owned))
            .collect();
        assert_eq!(resumed.len(), 1, "cut after {after}: {resumed:?}");
    }
}

#[test]
fn a_registry_without_ranges_begins_anew() {
    let registry = Wrong::builder().without_ranges().start().unwrap();
    with_hello(&registry);
    registry.fault(Fault::cut_after(40_000).on(Kind::Blob));
    installed(&registry);
}

#[test]
fn a_transfer_that_never_gets_on_is_given_up() {
    let registry = registry_with(Fault::cut().on(Kind::Blob).standing());
    let said = refused(&registry, 125);
    assert!(said.starts_with("kwasm: HOST"), "{said}");
}

#[test]
fn a_registry_that_is_busy_for_a_moment_is_asked_again() {
    for fault in [Fault::status(503).times(2), Fault::status(500), Fault::too_many(1), Fault::cut()] {
        installed(&registry_with(fault.on(Kind::Manifest)));
    }
    let said = refused(&registry_with(Fault::too_many(3600).on(Kind::Manifest)), 125);
    assert!(said.contains("it requests a pause of 3600 seconds"), "{said}");
}

#[test]
fn what_is_longer_or_shorter_than_its_manifest_says_is_refused() {
    let longer = refused(&registry_with(Fault::body(vec![0; 200_000]).on(Kind::Blob)), 126);
    assert!(
        longer.contains("its manifest names") && longer.contains("and the registry has 200000"),
        "{longer}"
    );
    let shorter = refused(&registry_with(Fault::body("x").on(Kind::Blob)), 126);
    assert!(shorter.contains("and the registry has 1\n"), "{shorter}");
    let endless = refused(&registry_with(Fault::endless().on(Kind::Blob).standing()), 126);
    assert!(endless.contains("its manifest names"), "{endless}");
}

#[test]
fn what_has_another_digest_is_refused() {
    let said = refused(&registry_with(Fault::corrupt().on(Kind::Blob)), 126);
    assert!(said.contains("the content is not what its manifest names"), "{said}");
    let other = format!("sha256:{}", "0".repeat(64));
    let said = refused(
        &registry_with(Fault::headers().header("docker-content-digest", other).on(Kind::Manifest)),
        126,
    );
    assert!(said.contains("the content is not what its manifest names"), "{said}");
}

#[test]
fn a_manifest_that_is_another_than_the_one_that_was_named_is_refused() {
    let registry = Wrong::start().unwrap();
    let digest = registry.push("acme/hello", "1.0.0", &Artifact::component(bytes("hello")));
    let other = Artifact::component(bytes("exits")).manifest();
    registry.fault(Fault::body(other).without_header("docker-content-digest").on(Kind::Manifest));
    let kwasm = fresh(&registry);
    let run = kwasm.call(["install", &format!("{}/acme/hello@{digest}", registry.host())]).fails(126);
    assert!(run.stderr.contains(&format!("instead of {digest}")), "{}", run.shown());
    nothing_left(&kwasm);
}

#[test]
fn a_web_page_is_no_registry() {
    for kind in [Kind::Manifest, Kind::Blob] {
        let said = refused(&registry_with(Fault::page().on(kind).standing()), 125);
        assert!(said.contains("with a web page: it is not a registry"), "{kind:?}: {said}");
    }
}

#[test]
fn answers_without_end_are_not_read_to_it() {
    let said = refused(&registry_with(Fault::endless().on(Kind::Manifest).standing()), 125);
    assert!(said.contains("more than 4194304 bytes"), "{said}");
}

#[test]
fn what_is_looked_for_elsewhere_gets_no_credentials() {
    let registry = Wrong::builder().blobs_elsewhere().basic("jane", "open: sesame").start().unwrap();
    with_hello(&registry);
    installed(&registry);
    let blobs = registry.requests_for(Kind::Blob);
    let elsewhere: Vec<_> = blobs.iter().filter(|it| it.side == kwasm_registry::Side::Elsewhere).collect();
    assert!(!elsewhere.is_empty());
    assert!(elsewhere.iter().all(|it| it.header("authorization").is_none()));
    assert!(blobs.iter().any(|it| it.header("authorization").is_some()));
}

#[test]
fn an_upgrade_that_fails_leaves_the_old_plugin_as_it_was() {
    let registry = Wrong::start().unwrap();
    let reference = with_hello(&registry);
    let kwasm = fresh(&registry);
    kwasm.call(["install", &reference]).success();
    let kept = || [kwasm.home().join("data"), kwasm.links(), kwasm.cache()].map(|folder| files(&folder));
    let before = kept();
    registry.push("acme/hello", "1.1.0", &Artifact::component(bytes("exits")));
    for (fault, code, why) in fatal() {
        registry.fault(fault);
        let run = kwasm.call(["upgrade"]).fails(code);
        registry.clear_faults();
        assert!(run.stderr.contains(why), "{}", run.shown());
        assert_eq!(kept(), before, "{why}");
        assert_eq!(super::only(&kwasm)["version"], "1.0.0");
        assert_eq!(super::call(&kwasm, "hello").success().stdout, "hello from kwasm: x\n");
    }
    kwasm.call(["upgrade"]).success();
    assert_eq!(super::only(&kwasm)["version"], "1.1.0");
}

#[test]
fn a_run_that_fails_keeps_nothing_for_the_next() {
    let registry = Wrong::start().unwrap();
    let reference = with_hello(&registry);
    let kwasm = fresh(&registry);
    for (fault, code, why) in fatal() {
        registry.fault(fault);
        let run = kwasm.call(["run", &reference, "--", "x"]).fails(code);
        registry.clear_faults();
        assert!(said(&run, &registry).contains(why), "{}", run.shown());
        assert_eq!(run.stdout, "");
        nothing_left(&kwasm);
    }
    assert_eq!(kwasm.call(["run", &reference, "--", "x"]).success().stdout, "hello from kwasm: x\n");
}

#[test]
fn a_registry_without_ranges_that_gets_no_further_is_given_up() {
    let registry = Wrong::builder().without_ranges().start().unwrap();
    with_hello(&registry);
    // It is cut here and there: now and then further on than the last time, and never than before.
    for after in [40_000, 20_000, 30_000, 10_000, 39_999] {
        registry.fault(Fault::cut_after(after).on(Kind::Blob));
    }
    let said = refused(&registry, 125);
    assert!(said.contains("the transfer could not continue"), "{said}");
    assert_eq!(registry.requests_for(Kind::Blob).len(), 5);
}

#[test]
fn what_ends_too_soon_and_is_whole_is_told_by_its_length() {
    let registry = Wrong::start().unwrap();
    let hello = bytes("hello");
    let layer = serde_json::json!({
        "mediaType": "application/wasm", "digest": kwasm_registry::digest(&hello), "size": hello.len() + 1,
    });
    let lying = Artifact::component(hello.clone()).field("layers", vec![layer]);
    registry.push("acme/hello", "1.0.0", &lying);
    registry.fault(Fault::chunked().on(Kind::Blob).standing());
    let said = refused(&registry, 126);
    assert!(said.contains(&format!("and the registry has {}\n", hello.len())), "{said}");
    assert_eq!(registry.requests_for(Kind::Blob).len(), 1);
    // A body in chunks that is cut has no end: it is gone on with.
    let registry = Wrong::start().unwrap();
    with_hello(&registry);
    registry.fault(Fault::cut_after(1_000).without_header("content-length").on(Kind::Blob));
    installed(&registry);
}
