//! TLS that fails: each cause has the cure that helps against it, or none.

use kwasm_registry::{Wrong, WrongBuilder};

use super::{at, with_hello};

/// Returns the messages about a registry that cannot be reached, with `from` replaced in the user's
/// configuration.
#[track_caller]
fn said(registry: WrongBuilder, from: &str, to: &str) -> String {
    let registry = registry.start().unwrap();
    let reference = with_hello(&registry);
    let kwasm = at(&registry);
    let path = kwasm.home().join("config/wasm-pkg/config.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    assert!(config.contains(from), "{config}");
    std::fs::write(path, config.replace(from, to)).unwrap();
    let said = kwasm.call(["install", &reference]).fails(125).stderr;
    assert!(registry.requests().is_empty(), "{said}");
    said.replace(registry.host(), "HOST")
}

#[test]
fn an_authority_that_nobody_knows_can_be_made_known() {
    let said = said(Wrong::builder(), "extra_root_certificates", "other");
    insta::assert_snapshot!(said, @r#"
    kwasm: HOST: it cannot be reached: invalid peer certificate: UnknownIssuer
    hint: add a private CA to ~/.config/wasm-pkg/config.toml: [[registry."HOST".oci.extra_root_certificates]]
    "#);
}

#[test]
fn no_authority_helps_a_certificate_that_has_run_out_or_is_another_hosts() {
    let [expired, misnamed] =
        [Wrong::builder().expired(), Wrong::builder().misnamed()].map(|registry| said(registry, "", ""));
    assert!(
        expired.starts_with("kwasm: HOST: it cannot be reached: ") && expired.contains("expired"),
        "{expired}"
    );
    assert!(misnamed.contains("not valid for name \"localhost\""), "{misnamed}");
    assert!(![expired, misnamed].concat().contains("hint"));
}

#[test]
fn a_registry_without_tls_can_be_said_to_have_none() {
    let said = said(Wrong::builder().plain_http(), "protocol = \"http\"", "protocol = \"https\"");
    insta::assert_snapshot!(said, @r#"
    kwasm: HOST: it cannot be reached: received corrupt message of type InvalidContentType
    hint: if it has no TLS, set in ~/.config/wasm-pkg/config.toml: [registry."HOST".oci] protocol = "http"
    "#);
}
