//! Tests of destinations. Requests that are refused whatever the guest's name are in
//! `tests/suite/refused_destinations.rs`.

use std::path::PathBuf;

use kwasm_apiserver::{ApiServer, Fault, User};
use serde_json::json;
use tempfile::TempDir;

use super::Attempt;
use crate::support::seed;

/// Starts a server that answers anyone, without TLS, and must not be reached.
pub(super) fn listener() -> ApiServer {
    open(ApiServer::builder().plain_http().start().unwrap())
}

/// Returns a server with TLS, for hosts that may be granted.
pub(super) fn host() -> ApiServer {
    open(ApiServer::start().unwrap())
}

fn open(server: ApiServer) -> ApiServer {
    server.fault(Fault::status(200, Some(json!({"welcome": "stranger"}))).standing());
    server
}

/// Returns the defences to disable so that a request to an address that was not granted reaches `server`.
pub(super) fn leading_to(server: &ApiServer) -> String {
    format!("destination=127.0.0.1:{}", server.port())
}

/// Returns the `spec` that grants a server as a host outside the cluster.
pub(super) fn granting(server: &ApiServer, private: bool) -> String {
    format!("{{network: [{{host: localhost, port: {}, private: {private}}}]}}", server.port())
}

pub(super) fn url(server: &ApiServer) -> String {
    format!("https://localhost:{}/version", server.port())
}

/// The authority of a server as a file, for hosts outside the cluster: kwasm trusts the platform's.
pub(super) struct Trust(TempDir);

impl Trust {
    pub(super) fn of(server: &ApiServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), server.authority().unwrap()).unwrap();
        Self(folder)
    }

    pub(super) fn file(&self) -> String {
        let path: PathBuf = self.0.path().join("ca.pem");
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn dialling_another_host() {
    let (server, other, astray) = (seed(), host(), listener());
    let trust = Trust::of(&other);
    Attempt::of("dials-another-host")
        .at(&server, User::Certificate)
        .unheard_by(&other)
        .unheard_by(&astray)
        .variable("SSL_CERT_FILE", trust.file())
        .with(&["https://collector.example/version"])
        .fails("the policy does not grant this host")
        .succeeds_without(&leading_to(&astray), "status 200")
        .spec(&granting(&other, true))
        .twin(&[&url(&other)]);
    // No credential was sent.
    for heard in [astray.requests(), other.requests()].iter().flatten() {
        assert_eq!((heard.header("authorization"), heard.user.as_deref()), (None, None));
    }
}

#[test]
fn dialling_a_host_that_is_granted_and_was_not_requested() {
    let (server, other) = (seed(), host());
    let trust = Trust::of(&other);
    Attempt::of("dials-another-host")
        .at(&server, User::Certificate)
        .unheard_by(&other)
        .variable("SSL_CERT_FILE", trust.file())
        .spec(&granting(&other, true))
        .requesting("{}")
        .with(&[&url(&other)])
        .fails("the policy does not grant this host")
        .succeeds_without("requested-hosts", "status 200")
        .requesting(&granting(&other, true))
        .twin(&[&url(&other)]);
}

#[test]
fn dialling_another_port_of_the_same_host() {
    let (server, other, astray) = (seed(), host(), listener());
    Attempt::of("dials-another-port")
        .at(&server, User::Certificate)
        .unheard_by(&other)
        .unheard_by(&astray)
        .with(&[&format!("{}/version", other.url())])
        .fails("the policy does not grant this host")
        .succeeds_without(&leading_to(&astray), "status 200")
        .twin(&[&format!("{}/version", server.url())]);
}

#[test]
fn dialling_the_users_own_machine() {
    let (server, other, astray) = (seed(), host(), listener());
    let trust = Trust::of(&other);
    Attempt::of("dials-localhost")
        .at(&server, User::Certificate)
        .unheard_by(&other)
        .unheard_by(&astray)
        .variable("SSL_CERT_FILE", trust.file())
        .with(&[&url(&other)])
        .fails("the policy does not grant this host")
        .succeeds_without(&leading_to(&astray), "status 200")
        .spec(&granting(&other, true))
        .twin(&[&url(&other)]);
}

#[test]
fn dialling_the_metadata_of_the_cloud() {
    let (server, astray) = (seed(), listener());
    Attempt::of("dials-metadata")
        .at(&server, User::Certificate)
        .unheard_by(&astray)
        .fails("the policy does not grant this host")
        .succeeds_without(&leading_to(&astray), "status 200")
        // An address that no network routes either, but the cluster's.
        .twin(&["http://192.0.2.1/version"]);
    assert_eq!(astray.requests()[0].path(), "/latest/meta-data/iam/security-credentials/");
}

#[test]
fn rebinding_a_granted_name_to_the_users_own_network() {
    let (server, other) = (seed(), host());
    let trust = Trust::of(&other);
    Attempt::of("rebinds-dns")
        .at(&server, User::Certificate)
        .unheard_by(&other)
        .variable("SSL_CERT_FILE", trust.file())
        .spec(&granting(&other, false))
        .with(&[&url(&other)])
        .fails("the host is at a private address")
        .succeeds_without("private-addresses", "status 200")
        .spec(&granting(&other, true))
        .twin(&[&url(&other)]);
}

#[test]
fn being_redirected_elsewhere() {
    let (server, other) = (seed(), listener());
    let target = format!("http://127.0.0.1:{}/version", other.port());
    server.fault(Fault::redirect(307, &target).on("GET", "/version").standing());
    Attempt::of("is-redirected")
        .asking(&server, User::Certificate)
        .unheard_by(&other)
        .fails(&format!("not followed to {target}"))
        .succeeds_without("redirects", "stranger")
        .twin(&["/api"]);
    assert_eq!(other.requests().len(), 1);
}

#[test]
fn naming_a_user_in_the_address() {
    let server = seed();
    Attempt::of("names-a-user")
        .at(&server, User::Certificate)
        .fails("the policy does not grant this host")
        .succeeds_without("userinfo", "status 200")
        .twin(&["http://192.0.2.1/version"]);
}
