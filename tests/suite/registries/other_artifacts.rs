//! Tests of artifacts that are not plugins.

use kwasm_registry::{Artifact, Wrong};
use serde_json::json;

use super::bytes;
use super::faults::{fresh, nothing_left};

const WASM: &str = "application/wasm";

/// Returns the message when this artifact is to be installed.
#[track_caller]
fn refused(artifact: &Artifact) -> String {
    let registry = Wrong::start().unwrap();
    registry.push("acme/x", "1", artifact);
    let kwasm = fresh(&registry);
    let run = kwasm.call(["install", &format!("{}/acme/x:1", registry.host())]).fails(126);
    nothing_left(&kwasm);
    run.stderr.replace(registry.host(), "HOST")
}

#[test]
fn an_artifact_has_exactly_one_layer_of_webassembly() {
    let two = Artifact::component(bytes("hello")).layer(WASM, bytes("exits"));
    insta::assert_snapshot!(refused(&two), @"kwasm: HOST/acme/x:1: it has 2 layers, and a plugin is exactly one");
    let none = Artifact::with_config("application/vnd.wasm.config.v0+json", "{}");
    insta::assert_snapshot!(refused(&none), @"kwasm: HOST/acme/x:1: it has 0 layers, and a plugin is exactly one");
    let image = Artifact::with_config("application/vnd.oci.image.config.v1+json", "{}")
        .layer("application/vnd.oci.image.layer.v1.tar+gzip", "x");
    insta::assert_snapshot!(refused(&image), @r"
    kwasm: HOST/acme/x:1: its layer is application/vnd.oci.image.layer.v1.tar+gzip, and not application/wasm
    hint: publish a plugin there: kwasm publish FILE HOST/acme/x:1, or oras push HOST/acme/x:1 FILE:application/wasm
    ");
}

#[test]
fn a_bomb_is_not_downloaded() {
    let digest = kwasm_registry::digest(b"bomb");
    let layers = json!([{"mediaType": WASM, "digest": digest, "size": 1_u64 << 30}]);
    let bomb = Artifact::component("x").field("layers", layers);
    insta::assert_snapshot!(refused(&bomb), @"kwasm: HOST/acme/x:1: it has 1073741824 bytes, and a plugin may have 268435456 at most");
}

#[test]
fn a_list_of_manifests_is_no_plugin() {
    let list = Artifact::component("x")
        .field("mediaType", "application/vnd.oci.image.index.v1+json")
        .field("manifests", json!([{}, {}, {}]));
    insta::assert_snapshot!(refused(&list), @"kwasm: HOST/acme/x:1: it is a list of manifests and a manifest at the same time");
}

#[test]
fn a_layer_that_cannot_run_is_told_as_a_file_would_be() {
    let page = Artifact::component("<html>log in</html>");
    insta::assert_snapshot!(refused(&page), @"kwasm: HOST/acme/x:1: it is not WebAssembly but a web page");
}
