//! Tests of the counterparts of registries with each other: a failure here is not caused by kwasm.

use serde_json::Value;

use crate::support::{Kwasm, Layout, RealRegistry, Run, component, registry, registry_with_referrers};

/// Runs a program and parses its output as JSON.
#[track_caller]
fn json(command: &mut std::process::Command) -> Value {
    serde_json::from_str(&Run::of(command).success().stdout).unwrap()
}

fn manifest(registry: &RealRegistry, kwasm: &Kwasm, reference: &str) -> Value {
    json(registry.oras(kwasm, "manifest").args(["fetch", reference]))
}

#[test]
fn what_oras_pushes_skopeo_inspects_and_oras_pulls() {
    let Some(registry) = registry("counterparts::what_oras_pushes", &["oras", "skopeo"]) else { return };
    let kwasm = registry.kwasm();
    let reference = format!("{}:1.0.0", registry.repository(&kwasm, "hello"));
    let digest = registry.push(&kwasm, &reference, &component("hello"));

    // Without --raw it expects an image, whatever the artifact.
    let mut inspect = registry.skopeo(&kwasm);
    let raw = Run::of(inspect.args(["inspect", "--raw", &format!("docker://{reference}")])).success().stdout;
    assert_eq!(kwasm_registry::digest(raw.as_bytes()), digest);
    let manifest: Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");

    Run::of(registry.oras(&kwasm, "pull").arg(&reference)).success();
    assert_eq!(
        std::fs::read(kwasm.home().join("hello.wasm")).unwrap(),
        std::fs::read(component("hello")).unwrap()
    );
}

/// Signs with one key and lets cosign verify it with this one and with another.
fn signed(registry: &RealRegistry, layout: Layout) -> (Kwasm, String, String) {
    let kwasm = registry.kwasm();
    let repository = registry.repository(&kwasm, "hello");
    let digest = registry.push(&kwasm, &format!("{repository}:1.0.0"), &component("hello"));
    let (key, other) = (registry.key_pair(&kwasm, "key"), registry.key_pair(&kwasm, "other"));
    registry.sign(&kwasm, &key, layout, &repository, &digest);
    let verify = |key| {
        let mut verify = registry.cosign(&kwasm);
        verify.args(["verify", "--insecure-ignore-tlog=true", layout.option(), "--key"]).arg(key);
        Run::of(verify.arg(format!("{repository}@{digest}")))
    };
    let verified = verify(&key.public).success().stdout;
    assert!(verified.contains(&digest), "{verified}");
    assert_ne!(verify(&other.public).code, Some(0));
    (kwasm, repository, digest)
}

/// Returns the tags, sorted: a registry lists them as its file system does.
fn tags(registry: &RealRegistry, kwasm: &Kwasm, repository: &str) -> Vec<String> {
    let listed = Run::of(registry.oras(kwasm, "repo").args(["tags", repository])).success().stdout;
    let mut tags: Vec<String> = listed.lines().map(str::to_owned).collect();
    tags.sort();
    tags
}

#[test]
fn a_bundle_is_behind_a_tag_where_there_is_no_referrers_api() {
    let Some(registry) = registry("counterparts::a_bundle_is_behind_a_tag", &["oras", "cosign"]) else {
        return;
    };
    let (kwasm, repository, digest) = signed(registry, Layout::Bundle);
    let tag = digest.replace(':', "-");
    assert_eq!(tags(registry, &kwasm, &repository), ["1.0.0", &tag]);
    let index = manifest(registry, &kwasm, &format!("{repository}:{tag}"));
    assert_eq!(index["manifests"][0]["artifactType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
}

#[test]
fn a_bundle_is_a_referrer_where_there_is_the_api() {
    let programs = ["oras", "cosign"];
    let Some(registry) = registry_with_referrers("counterparts::a_bundle_is_a_referrer", &programs) else {
        return;
    };
    let (kwasm, repository, digest) = signed(registry, Layout::Bundle);
    assert_eq!(tags(registry, &kwasm, &repository), ["1.0.0"]);
    let discover = ["--output", "json", &format!("{repository}@{digest}")];
    let referrers = json(registry.oras(&kwasm, "discover").args(discover));
    let referrer = referrers["manifests"][0]["digest"].as_str().unwrap();
    let manifest = manifest(registry, &kwasm, &format!("{repository}@{referrer}"));
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    assert_eq!(manifest["subject"]["digest"], digest.as_str());
}

#[test]
fn an_older_signature_is_behind_a_tag_in_either_registry() {
    let (name, programs) = ("counterparts::an_older_signature", ["oras", "cosign"]);
    for registry in [registry(name, &programs), registry_with_referrers(name, &programs)] {
        let Some(registry) = registry else { return };
        let (kwasm, repository, digest) = signed(registry, Layout::Simple);
        let tag = format!("{}.sig", digest.replace(':', "-"));
        assert_eq!(tags(registry, &kwasm, &repository), ["1.0.0", &tag]);
        let manifest = manifest(registry, &kwasm, &format!("{repository}:{tag}"));
        assert!(manifest["layers"][0]["annotations"]["dev.cosignproject.cosign/signature"].is_string());
    }
}

#[test]
fn what_wkg_pushes_is_the_package_that_it_gets() {
    let Some(registry) = registry("counterparts::what_wkg_pushes", &["oras", "wkg"]) else { return };
    let kwasm = registry.kwasm();
    let reference = format!("{}:1.0.0", registry.repository(&kwasm, "acme/hello"));
    registry.push_by_wkg(&kwasm, &reference, &component("hello"));
    let manifest = manifest(registry, &kwasm, &reference);
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);

    Run::of(registry.wkg(&kwasm).args(["get", "--output", "./got.wasm", "acme:hello@1.0.0"])).success();
    assert_eq!(
        std::fs::read(kwasm.home().join("got.wasm")).unwrap(),
        std::fs::read(component("hello")).unwrap()
    );
}

/// wkg 0.16 cannot publish components: it looks for a version in them even if it is given one
/// (bytecodealliance/wasm-pkg-tools#250).
#[test]
fn what_wkg_publishes_is_where_the_mapping_of_its_namespace_says() {
    let Some(registry) = registry("counterparts::what_wkg_publishes", &["oras", "wkg"]) else { return };
    let kwasm = registry.kwasm();
    std::fs::create_dir(kwasm.home().join("wit")).unwrap();
    let wit = "package acme:greeting@1.2.0;\ninterface greet { hello: func() -> string; }\n";
    std::fs::write(kwasm.home().join("wit").join("greet.wit"), wit).unwrap();
    Run::of(registry.wkg(&kwasm).args(["wit", "build", "--output", "greeting.wasm"])).success();
    Run::of(registry.wkg(&kwasm).args(["publish", "greeting.wasm"])).success();
    let repository = registry.repository(&kwasm, "acme/greeting");
    assert_eq!(tags(registry, &kwasm, &repository), ["1.2.0"]);
    Run::of(registry.wkg(&kwasm).args(["get", "--output", "./got.wasm", "acme:greeting"])).success();
}
