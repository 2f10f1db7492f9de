//! Plugins from registries: their life, what others' programs make of ours and we of theirs, signatures, and registries
//! that do wrong.

mod archives;
mod faults;
mod interoperation;
mod layouts;
mod lifecycle;
mod logins;
mod mounted;
mod other_artifacts;
mod proxies;
mod pushes;
mod repository_names;
mod signatures;
mod tags;
mod tls_failures;
mod token_realms;
mod upgrades;
mod volumes;

use std::path::PathBuf;

use kwasm_registry::{Artifact, Wrong};
use serde_json::Value;

use crate::support::{Kwasm, RealRegistry, Run, component};

/// Returns a component's bytes.
pub(crate) fn bytes(guest: &str) -> Vec<u8> {
    std::fs::read(component(guest)).unwrap()
}

/// Returns a kwasm configured for a faulty registry, with its user's login there.
pub(crate) fn at(registry: &Wrong) -> Kwasm {
    let kwasm = Kwasm::new();
    let config = kwasm.home().join("config");
    std::fs::create_dir_all(config.join("wasm-pkg")).unwrap();
    let access = registry.access();
    std::fs::write(config.join("wasm-pkg").join("config.toml"), access.wasm_pkg_config("acme", "")).unwrap();
    access.write_docker_config(kwasm.home()).unwrap();
    let home = kwasm.home().to_owned();
    kwasm.variable("DOCKER_CONFIG", home).variable("XDG_CONFIG_HOME", config)
}

/// Returns a registry with `acme/hello:1.0.0`, and its reference.
pub(crate) fn with_hello(registry: &Wrong) -> String {
    registry.push("acme/hello", "1.0.0", &Artifact::component(bytes("hello")));
    format!("{}/acme/hello:1.0.0", registry.host())
}

/// Publishes a guest of ours by kwasm.
fn publish(kwasm: &Kwasm, guest: &str, target: &str) -> Run {
    let component = component(guest);
    kwasm.call(["publish", component.to_str().unwrap(), target])
}

/// Returns the entry of `kwasm list -o json` for the only plugin.
fn only(kwasm: &Kwasm) -> Value {
    let list = kwasm.call(["list", "-o", "json"]).success().stdout;
    let mut rows: Vec<Value> = serde_json::from_str(&list).unwrap();
    assert_eq!(rows.len(), 1, "{list}");
    rows.remove(0)
}

/// Runs an installed plugin through its link.
fn call(kwasm: &Kwasm, name: &str) -> Run {
    Run::of(kwasm.program(kwasm.links().join(format!("kubectl-{name}"))).arg("x"))
}

/// Writes trust.yaml: what is asked of artifacts of `registry`.
fn trust(kwasm: &Kwasm, registry: &RealRegistry, asked: &str, keys: &str) -> PathBuf {
    let folder = kwasm.home().join("config/kwasm");
    std::fs::create_dir_all(&folder).unwrap();
    let host = registry.access().host();
    let text = format!(
        "apiVersion: kwasm.dev/v1\nkind: Trust\nrules:\n- registry: {host}\n  signatures: {asked}\n  keys: {keys}\n"
    );
    std::fs::write(folder.join("trust.yaml"), text).unwrap();
    folder
}
