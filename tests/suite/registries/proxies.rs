//! Proxies between here and a registry: those that Go's clients would take, and none on the way to this machine.

use std::net::SocketAddr;

use kwasm_registry::Wrong;

use super::{at, with_hello};
use crate::support::Kwasm;
use crate::support::proxy::{BEHIND, Kind, Proxy};

const VARIABLES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

fn address(registry: &Wrong) -> SocketAddr {
    format!("127.0.0.1:{}", registry.host().rsplit(':').next().unwrap()).parse().unwrap()
}

/// Returns a registry of plain HTTP that wants a password, with a plugin; and a kwasm that knows it by the
/// name that only a proxy resolves, too.
fn behind() -> (Wrong, Kwasm) {
    let registry = Wrong::builder().plain_http().basic("jane", "open: sesame").start().unwrap();
    with_hello(&registry);
    let kwasm = at(&registry);
    let config = format!("[registry.\"{BEHIND}\".oci]\nprotocol = \"http\"\n");
    std::fs::write(kwasm.home().join("config/wasm-pkg/config.toml"), config).unwrap();
    let login = registry.access().docker_config().to_string();
    std::fs::write(kwasm.home().join("config.json"), login.replace(registry.host(), BEHIND)).unwrap();
    (registry, kwasm)
}

fn reference() -> String {
    format!("{BEHIND}/acme/hello:1.0.0")
}

#[test]
fn a_login_for_a_registry_on_this_machine_is_shown_to_no_proxy() {
    for plain in [true, false] {
        let builder = Wrong::builder().basic("jane", "open: sesame");
        let registry = if plain { builder.plain_http() } else { builder }.start().unwrap();
        let reference = with_hello(&registry);
        let proxy = Proxy::start(Kind::Http, address(&registry), None);
        let kwasm = VARIABLES.iter().fold(at(&registry), |kwasm, name| kwasm.variable(name, proxy.url()));
        kwasm.call(["install", &reference]).success();
        kwasm.call(["inspect", &reference]).success();
        assert_eq!(proxy.carried(), [], "plain: {plain}");
    }
}

#[test]
fn a_proxy_that_nothing_listens_at_keeps_nobody_from_a_registry_on_this_machine() {
    let registry = Wrong::builder().plain_http().start().unwrap();
    let reference = with_hello(&registry);
    let kwasm =
        VARIABLES.iter().fold(at(&registry), |kwasm, name| kwasm.variable(name, "http://127.0.0.1:1"));
    kwasm.call(["install", &reference]).success();
}

#[test]
fn another_registry_is_reached_through_the_proxy() {
    for kind in [Kind::Http, Kind::Socks5] {
        let (registry, kwasm) = behind();
        let proxy = Proxy::start(kind, address(&registry), Some("jo@hn:p:ss"));
        let kwasm = kwasm.variable("HTTP_PROXY", proxy.url_for("jo%40hn:p%3Ass"));
        kwasm.call(["install", &reference()]).success();
        let carried = proxy.carried();
        assert!(!carried.is_empty());
        assert!(carried.iter().all(|it| it.to == BEHIND && it.login.as_deref() == Some("jo@hn:p:ss")));
    }
}

#[test]
fn a_proxy_for_everything_is_not_taken() {
    let (registry, kwasm) = behind();
    let proxy = Proxy::start(Kind::Socks5, address(&registry), None);
    let kwasm = kwasm.variable("ALL_PROXY", proxy.url()).variable("all_proxy", proxy.url());
    let run = kwasm.call(["install", &reference()]).fails(125);
    assert!(run.stderr.contains("it cannot be reached: "), "{}", run.shown());
    assert_eq!(proxy.carried(), []);
}

#[test]
fn a_proxy_that_cannot_be_used_is_reported_with_its_variable_and_without_its_password() {
    let (_registry, kwasm) = behind();
    let kwasm = kwasm.variable("HTTP_PROXY", "http://jane:hunter2@127.0.0.1:1");
    let run = kwasm.call(["install", &reference()]).fails(125);
    let said =
        "cluster.example:6443: it cannot be reached through the proxy http://127.0.0.1:1 of HTTP_PROXY: ";
    assert!(run.stderr.contains(said), "{}", run.shown());
    let hint = "hint: check HTTP_PROXY, or name the host in NO_PROXY if it is reached without a proxy";
    assert!(run.stderr.contains(hint) && !run.stderr.contains("hunter2"), "{}", run.shown());
    let (registry, kwasm) = behind();
    let kwasm = kwasm.variable("HTTP_PROXY", "ftp://hunter2");
    let run = kwasm.call(["install", &reference()]).fails(125);
    let said = "it cannot be reached: HTTP_PROXY: its scheme is not http, https or socks5";
    assert!(run.stderr.contains(said) && !run.stderr.contains("hunter2"), "{}", run.shown());
    assert!(registry.requests().is_empty());
}

#[test]
fn what_is_named_in_no_proxy_is_reached_without_one() {
    let (registry, kwasm) = behind();
    let proxy = Proxy::start(Kind::Http, address(&registry), None);
    let kwasm = kwasm.variable("HTTP_PROXY", proxy.url()).variable("NO_PROXY", ".example");
    kwasm.call(["install", &reference()]).fails(125);
    assert_eq!(proxy.carried(), []);
}
