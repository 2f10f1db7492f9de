//! Tests of what a guest gets from this machine, and of the answers that it receives.

use kwasm_apiserver::{ApiServer, Fault, User};
use serde_json::json;

use super::Attempt;
use crate::support::seed;

/// The guest's own kubeconfig, its only file.
const OWN: &str = "/kwasm/config";

/// A core module cannot reach a cluster, and has not even that one: what it may read is its input.
const NO_FILE: &str = "echoes-core";

#[test]
fn reading_the_home_directory() {
    let server = seed();
    let diary = tempfile::NamedTempFile::with_prefix("diary").unwrap();
    std::fs::write(diary.path(), "dear diary").unwrap();
    let attempt = |guest| {
        let attempt = Attempt::of(guest).asking(&server, User::Certificate);
        let failing = attempt.with(&[diary.path().to_str().unwrap()]).fails("");
        failing.succeeds_without("files", "dear diary")
    };
    attempt("reads-home").twin_of("reads-proc-self", &[OWN]);
    attempt("reads-home-core").twin_of(NO_FILE, &[]);
}

#[test]
fn reading_the_process_itself() {
    let attempt = |guest| {
        let failing = Attempt::of(guest).fails("/proc/self/environ");
        failing.succeeds_without("files", "/proc/self/environ")
    };
    attempt("reads-proc-self").twin(&[OWN]);
    attempt("reads-proc-self-core").twin_of(NO_FILE, &[]);
}

#[test]
fn reading_the_environment() {
    for guest in ["reads-environment", "reads-environment-core"] {
        Attempt::of(guest)
            .variable("TERM", "xterm")
            .fails("HOME: environment variable not found")
            .succeeds_without("environment", "HOME=/")
            .twin(&["TERM"]);
    }
}

#[test]
fn reading_a_credential_under_a_pattern_of_variables() {
    for guest in ["reads-credential-variables", "reads-credential-variables-core"] {
        Attempt::of(guest)
            .variable("MY_TOKEN", "hunter2")
            .variable("MY_EDITOR", "ed")
            .spec("{environment: [\"MY_*\"]}")
            .with(&["MY_TOKEN"])
            .fails("MY_TOKEN: environment variable not found")
            .succeeds_without("credential-variables", "MY_TOKEN=hunter2")
            .twin(&["MY_EDITOR"]);
    }
}

#[test]
fn reading_a_variable_that_the_guests_own_request_does_not_name() {
    Attempt::of("reads-environment")
        .variable("EDITOR", "ed")
        .spec("{environment: [HOME, EDITOR]}")
        .requesting("{environment: [EDITOR, VISUAL]}")
        .fails("HOME: environment variable not found")
        .succeeds_without("requested-variables", "HOME=/")
        .twin(&["EDITOR"]);
}

#[test]
fn reading_the_credentials_in_the_kubeconfig() {
    let server = seed();
    Attempt::of("reads-kubeconfig")
        .asking(&server, User::Token)
        .fails("no credential and no other server")
        .succeeds_without("kubeconfig", "token")
        .twin(&["--any-server"]);
}

#[test]
fn reading_the_hosts_paths_out_of_a_refusal() {
    // A path in an object is not hidden from the guest.
    let server = ApiServer::start().unwrap();
    let path = "/api/v1/namespaces/shop/configmaps/settings";
    server.put(path, json!({"data": {"file": "/etc/shop/settings"}})).unwrap();
    Attempt::of("reads-refusal-texts")
        .fails("no cluster is selected")
        .succeeds_without("refusal-texts", ".kube/config")
        .asking(&server, User::Token)
        .twin(&[path]);
}

#[test]
fn reading_the_session_of_an_authenticating_proxy() {
    let server = seed();
    let headers = Fault::headers().with_header("set-cookie", "session=open").with_header("x-plain", "kept");
    server.fault(headers.standing());
    Attempt::of("reads-cookies")
        .asking(&server, User::Certificate)
        .fails("no set-cookie")
        .succeeds_without("session-cookies", "session=open")
        .twin(&["--header", "x-plain"]);
}

#[test]
fn reading_the_token_in_a_challenge() {
    let server = seed();
    server.fault(
        Fault::headers()
            .with_header("www-authenticate", "Negotiate b3BlbiBzZXNhbWU=")
            .with_header("www-authenticate", "Basic realm=\"shop\"")
            .standing(),
    );
    Attempt::of("reads-challenges")
        .asking(&server, User::Certificate)
        .fails("no such challenge")
        .succeeds_without("challenges", "Negotiate b3BlbiBzZXNhbWU=")
        .twin(&["--any"]);
}
