//! Both ways with the programs that people have: oras, wkg, skopeo, wasmtime; and artifacts as older tools made them.

use kwasm_registry::{Artifact, Wrong, tool};
use serde_json::Value;

use super::{at, bytes, call, publish};
use crate::support::{Run, component, registry};

#[test]
fn what_oras_and_wkg_push_installs() {
    let Some(registry) = registry("registries::what_oras_and_wkg_push", &["oras", "wkg"]) else { return };
    let kwasm = registry.kwasm();
    let [by_oras, by_wkg] =
        ["by-oras", "by-wkg"].map(|name| format!("{}:1.0.0", registry.repository(&kwasm, name)));
    registry.push(&kwasm, &by_oras, &component("hello"));
    registry.push_by_wkg(&kwasm, &by_wkg, &component("hello"));
    kwasm.call(["install", &by_oras, &by_wkg]).success();
    for name in ["by_oras", "by_wkg"] {
        assert_eq!(call(&kwasm, name).success().stdout, "hello from kwasm: x\n");
    }
    // wkg says in the configuration what it imports; oras does not, and it is looked into.
    for reference in [&by_oras, &by_wkg] {
        let page: Value =
            serde_json::from_str(&kwasm.call(["inspect", reference, "-o", "json"]).success().stdout).unwrap();
        assert!(
            page["imports"]
                .as_array()
                .unwrap()
                .iter()
                .any(|it| it.as_str().unwrap().starts_with("wasi:cli/"))
        );
    }
}

#[test]
fn what_kwasm_publishes_the_others_take() {
    let Some(registry) = registry("registries::what_kwasm_publishes", &["oras", "skopeo", "wasmtime", "wkg"])
    else {
        return;
    };
    let kwasm = registry.kwasm();
    publish(&kwasm, "hello", "acme:hello@1.0.0").success();
    let reference = format!("{}:1.0.0", registry.repository(&kwasm, "acme/hello"));
    let hello = bytes("hello");
    Run::of(registry.oras(&kwasm, "pull").arg(&reference)).success();
    assert_eq!(std::fs::read(kwasm.home().join("hello.wasm")).unwrap(), hello, "oras pull");
    Run::of(registry.wkg(&kwasm).args(["get", "--output", "./got.wasm", "acme:hello@1.0.0"])).success();
    assert_eq!(std::fs::read(kwasm.home().join("got.wasm")).unwrap(), hello, "wkg get");
    let mut inspect = registry.skopeo(&kwasm);
    // Without --raw, skopeo requires an image's configuration, whoever pushed the artifact.
    let raw = Run::of(inspect.args(["inspect", "--raw", &format!("docker://{reference}")])).success().stdout;
    let manifest: Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(manifest["layers"][0]["digest"], kwasm_registry::digest(&hello).as_str());
    assert_eq!(manifest["annotations"]["org.opencontainers.image.version"], "1.0.0");
    let run = Run::of(kwasm.program(tool("wasmtime").unwrap()).args(["run", "got.wasm", "x"])).success();
    assert_eq!(run.stdout, "hello from kwasm: x\n");
}

#[test]
fn a_product_of_cargo_component_is_published_installed_and_run() {
    let Some(registry) = registry("registries::a_product_of_cargo_component", &[]) else { return };
    let kwasm = registry.kwasm();
    let reference = format!("{}:0.1.0", registry.repository(&kwasm, "older"));
    publish(&kwasm, "hello-cargo-component", &reference).success();
    kwasm.call(["install", &reference]).success();
    let run = call(&kwasm, "older").success();
    assert!(!run.stdout.is_empty(), "{}", run.shown());
}

#[test]
fn the_same_component_is_the_same_artifact_whenever_it_is_published() {
    let Some(registry) = registry("registries::the_same_component", &[]) else { return };
    let kwasm = registry.kwasm();
    let target = |name: &str| format!("{}:1.0.0", registry.repository(&kwasm, name));
    let digest = |name: &str| {
        let published = publish(&kwasm, "hello", &target(name)).success().stdout;
        published.trim().split_once('@').unwrap().1.to_owned()
    };
    assert_eq!(digest("one"), digest("two"));
}

#[test]
fn artifacts_of_older_tools_install() {
    let registry = Wrong::start().unwrap();
    // deislabs/wasm-to-oci, and what Solo's tools and krew-wasm's examples were pushed by.
    let types = [
        ("application/vnd.wasm.config.v1+json", "application/vnd.wasm.content.layer.v1+wasm"),
        ("application/vnd.module.wasm.config.v1+json", "application/vnd.module.wasm.content.layer.v1+wasm"),
    ];
    let kwasm = at(&registry);
    for (index, (config, layer)) in types.into_iter().enumerate() {
        let artifact = Artifact::with_config(config, "{}").layer(layer, bytes("hello"));
        registry.push("acme/old", &index.to_string(), &artifact);
        let reference = format!("{}/acme/old:{index}", registry.host());
        kwasm.call(["install", &reference]).success();
        assert_eq!(call(&kwasm, "old").success().stdout, "hello from kwasm: x\n");
    }
}
