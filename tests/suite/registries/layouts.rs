//! Names and layouts that other tools make: indexes, layers of other types, versions with build metadata, and the tags of
//! what refers to an artifact.

use kwasm_registry::{Artifact, Fault, Kind, Wrong};
use serde_json::{Value, json};

use super::{at, bytes, only, with_hello};
use crate::support::Kwasm;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Serves an index of these manifests as `acme/hello:1.0.0`.
fn index(registry: &Wrong, manifests: &[Value]) -> String {
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string();
    let digest = registry.put_manifest("acme/hello", index);
    registry.tag("acme/hello", "1.0.0", &digest);
    digest
}

/// A manifest without a tag.
struct Untagged {
    digest: String,
    size: usize,
}

/// Serves a plugin without a tag.
fn untagged(registry: &Wrong, guest: &str) -> Untagged {
    let artifact = Artifact::component(bytes(guest));
    let digest = registry.push("acme/hello", "once", &artifact);
    registry.untag("acme/hello", "once");
    Untagged { digest, size: artifact.manifest().len() }
}

fn listed(manifest: &Untagged, platform: &str) -> Value {
    let (os, architecture) = platform.split_once('/').unwrap();
    let Untagged { digest, size } = manifest;
    json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size,
        "platform": {"os": os, "architecture": architecture}})
}

fn reference(registry: &Wrong) -> String {
    format!("{}/acme/hello:1.0.0", registry.host())
}

fn refused(kwasm: &Kwasm, reference: &str) -> String {
    let said = kwasm.call(["install", reference]).fails(126).stderr;
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
    said
}

#[test]
fn the_one_plugin_of_an_index_is_installed() {
    let registry = Wrong::start().unwrap();
    let (hello, exits) = (untagged(&registry, "hello"), untagged(&registry, "exits"));
    let mut attestation = listed(&exits, "unknown/unknown");
    attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    for manifests in [
        vec![listed(&hello, "wasip2/wasm")],
        vec![listed(&hello, "linux/amd64"), attestation],
        vec![listed(&exits, "linux/arm64"), listed(&exits, "linux/amd64"), listed(&hello, "wasip2/wasm")],
    ] {
        let index = index(&registry, &manifests);
        for reference in [reference(&registry), format!("{}/acme/hello@{index}", registry.host())] {
            let kwasm = at(&registry);
            kwasm.call(["install", &reference]).success();
            assert_eq!(only(&kwasm)["manifest"], *hello.digest, "{manifests:?}");
            assert_eq!(super::call(&kwasm, "hello").success().stdout, "hello from kwasm: x\n");
        }
    }
    let both = [listed(&hello, "wasip1/wasm"), listed(&exits, "wasip2/wasm")];
    index(&registry, &both);
    let said = refused(&at(&registry), &reference(&registry));
    let why = "it is a list of 2 manifests, 2 of which are for WebAssembly, and a plugin is exactly one";
    assert!(said.contains(why), "{said}");
    index(&registry, &[listed(&hello, "linux/amd64"), listed(&exits, "linux/arm64")]);
    let said = refused(&at(&registry), &reference(&registry));
    assert!(said.contains("it is a list of 2 manifests, and none is for WebAssembly"), "{said}");
}

#[test]
fn what_an_index_leads_to_is_what_it_names() {
    let registry = Wrong::start().unwrap();
    let hello = untagged(&registry, "hello");
    index(&registry, &[listed(&hello, "wasip2/wasm")]);
    registry.remove(&hello.digest);
    let run = at(&registry).call(["install", &reference(&registry)]).fails(127);
    let missing = format!("acme/hello@{}: the registry has no such artifact", hello.digest);
    assert!(run.stderr.contains(&missing), "{}", run.shown());
    // What is there under that digest is another one, or is longer than the index says.
    let hello = untagged(&registry, "hello");
    let exits = Artifact::component(bytes("exits")).manifest();
    let pinned = index(&registry, &[listed(&hello, "wasip2/wasm")]);
    for body in [exits.clone().into_bytes(), hello_and_a_space()] {
        registry.fault(Fault::headers().on(Kind::Manifest));
        registry.fault(Fault::body(body).without_header("docker-content-digest").on(Kind::Manifest));
        let said = refused(&at(&registry), &format!("{}/acme/hello@{pinned}", registry.host()));
        assert!(said.contains("the content is not what its manifest names"), "{said}");
    }
    for size in [hello.size - 1, hello.size + 1] {
        let wrong = Untagged { digest: hello.digest.clone(), size };
        index(&registry, &[listed(&wrong, "wasip2/wasm")]);
        let said = refused(&at(&registry), &reference(&registry));
        let why = format!("its manifest names {size} bytes, and the registry has {}", hello.size);
        assert!(said.contains(&why), "{said}");
    }
    let mut unsized_entry = listed(&hello, "wasip2/wasm");
    unsized_entry.as_object_mut().unwrap().remove("size");
    index(&registry, &[unsized_entry]);
    assert!(refused(&at(&registry), &reference(&registry)).contains("does not say how long its manifest is"));
    // An index in an index is not a plugin's.
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed(&hello, "wasip2/wasm")]});
    let inner =
        Untagged { size: list.to_string().len(), digest: index(&registry, &[listed(&hello, "wasip2/wasm")]) };
    index(&registry, &[listed(&inner, "wasip2/wasm")]);
    assert!(refused(&at(&registry), &reference(&registry)).contains("it is a list of 1 manifest,"));
}

/// Returns the manifest of `hello` in other bytes of the same meaning.
fn hello_and_a_space() -> Vec<u8> {
    format!("{} ", Artifact::component(bytes("hello")).manifest()).into_bytes()
}

#[test]
fn a_layer_of_another_type_is_refused_with_how_it_is_pushed() {
    let registry = Wrong::start().unwrap();
    for media_type in ["application/vnd.oci.image.layer.v1.tar", "application/octet-stream"] {
        let config = Artifact::with_config("application/vnd.oci.empty.v1+json", "{}");
        registry.push("acme/hello", "1.0.0", &config.layer(media_type, bytes("hello")));
        let said = refused(&at(&registry), &reference(&registry)).replace(registry.host(), "HOST");
        assert!(said.contains(&format!("its layer is {media_type}, and not application/wasm")), "{said}");
        let hint = "oras push HOST/acme/hello:1.0.0 FILE:application/wasm";
        assert!(said.contains("kwasm publish FILE HOST/acme/hello:1.0.0") && said.contains(hint), "{said}");
    }
}

#[test]
fn the_tag_of_what_refers_to_an_artifact_is_distinguished_from_that_artifact() {
    let registry = Wrong::start().unwrap();
    with_hello(&registry);
    let digest = registry.push("acme/hello", "1.0.0", &Artifact::component(bytes("hello")));
    let host = registry.host();
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).to_string();
    let list = registry.put_manifest("acme/hello", list);
    let tag = digest.replace(':', "-");
    registry.tag("acme/hello", &tag, &list);
    // There are no signatures under the other one.
    for tag in [tag.clone(), format!("{tag}.sig")] {
        let said = refused(&at(&registry), &format!("{host}/acme/hello:{tag}")).replace(host, "HOST");
        assert!(said.contains(&format!("such a tag is reserved for what refers to {digest}")), "{said}");
        assert!(said.contains(&format!("hint: the artifact itself is HOST/acme/hello@{digest}")), "{said}");
    }
    at(&registry).call(["install", &format!("{host}/acme/hello@{digest}")]).success();
    let run = at(&registry).call(["install", &format!("{host}/acme/hello:{digest}")]).fails(2);
    assert!(run.stderr.contains(&format!("a digest follows an @: {host}/acme/hello@{digest}")));
}

#[test]
fn a_version_with_build_metadata_is_published_installed_and_upgraded() {
    let registry = Wrong::start().unwrap();
    let kwasm = at(&registry);
    for (guest, version) in [("hello", "acme:hello@1.0.0+build5"), ("exits", "acme:hello@1.0.0+build6")] {
        super::publish(&kwasm, guest, version).success();
        if guest == "hello" {
            let run = kwasm.call(["install", "acme:hello@1.0.0+build5"]).success();
            assert!(run.stderr.contains("installed hello 1.0.0+build5"), "{}", run.shown());
            assert!(run.stderr.contains("/acme/hello:1.0.0_build5 "), "{}", run.shown());
        }
    }
    assert_eq!(kwasm.call(["outdated", "-o", "name"]).success().stdout, "hello\n");
    kwasm.call(["upgrade"]).success();
    assert_eq!(only(&kwasm)["version"], "1.0.0+build6");
    // An artifact published under a tag has the tag's version, and so has its successor.
    let reference = |tag: &str| format!("{}/acme/other:{tag}", registry.host());
    super::publish(&kwasm, "hello", &reference("2.0.0_a")).success();
    kwasm.call(["install", &reference("2.0.0_a")]).success();
    assert_eq!(kwasm.call(["outdated", "-o", "name"]).success().stdout, "");
    super::publish(&kwasm, "exits", &reference("2.0.0_b")).success();
    assert_eq!(kwasm.call(["outdated", "-o", "name"]).success().stdout, "other\n");
    let page = kwasm.call(["inspect", &reference("2.0.0_b"), "-o", "json"]).success().stdout;
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["annotations"]["org.opencontainers.image.version"], "2.0.0+b");
    let run = kwasm.call(["install", &reference("2.0.0+b")]).fails(2);
    assert!(run.stderr.contains("that of version 2.0.0+b is 2.0.0_b"), "{}", run.shown());
}
