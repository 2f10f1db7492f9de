//! Tests of a request's headers. Some verdicts are based on what arrived at the server.

use kwasm_apiserver::{ApiServer, Received, Upload, User};

use super::Attempt;
use crate::support::{Kwasm, kubeconfig, seed};

pub(super) const SPEAKS_AS: &str = "kwasm sets the identity";

#[test]
fn impersonating_another_user() {
    let server = seed();
    let all = "rules: [{nonResourceURLs: ['*'], verbs: ['*']}]";
    Attempt::of("impersonates")
        .at(&server, User::Certificate)
        .spec(&format!("{{kubernetes: {{{all}}}}}"))
        .fails(SPEAKS_AS)
        .succeeds_without("claims", "status ")
        .spec(&format!("{{kubernetes: {{impersonate: true, {all}}}}}"))
        .twin(&[]);
    for request in server.requests() {
        assert_eq!(request.header("impersonate-user"), Some("admin"));
    }
}

#[test]
fn claiming_to_be_a_front_proxy() {
    let server = seed();
    Attempt::of("claims-front-proxy")
        .at(&server, User::Certificate)
        .fails(SPEAKS_AS)
        .succeeds_without("claims", "status 200")
        .twin(&["X-Remote: admin"]);
    assert_eq!(server.requests()[0].header("x-remote-user"), Some("admin"));
    assert_eq!(server.requests()[1].header("x-remote"), Some("admin"));
}

/// Returns the requests that a guest sends to the server: by the ordinary program, by the one for tests, and
/// by that without a defence.
pub(super) fn brought(
    server: &ApiServer,
    defence: &str,
    guest: &str,
    arguments: &[&str],
) -> [Option<Received>; 3] {
    let kwasm = || Kwasm::new().kubeconfig(kubeconfig(server, User::Certificate));
    [kwasm().variable("KWASM_WITHOUT", defence), kwasm().faulty(), kwasm().without(defence)].map(|kwasm| {
        let before = server.requests().len();
        let run = kwasm.run(guest, arguments).success();
        eprintln!("{guest} | {defence} | {}", run.stdout.lines().next().unwrap_or_default());
        server.requests().into_iter().nth(before)
    })
}

/// Runs the twin, which has to be allowed, and returns its request.
#[track_caller]
pub(super) fn allowed(server: &ApiServer, guest: &str, arguments: &[&str]) -> Received {
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(server, User::Certificate));
    let run = kwasm.run(guest, arguments).success();
    assert_eq!(run.complaints(), "", "{}", run.shown());
    server.requests().pop().unwrap()
}

#[test]
fn setting_an_authorization_of_its_own() {
    let server = seed();
    let header = "Authorization: Bearer stolen";
    let [ordinary, whole, without] = brought(&server, "claims", "sets-authorization", &[header, "/version"]);
    assert!(ordinary.is_none() && whole.is_none());
    assert_eq!(without.unwrap().header("authorization"), Some("Bearer stolen"));
    // An empty one claims nothing: client libraries without a credential send it.
    let twin = allowed(&server, "sets-authorization", &["Authorization: ", "/version"]);
    assert_eq!((twin.header("authorization"), twin.status), (None, Some(200)));
}

#[test]
fn claiming_to_be_another_user_behind_the_body() {
    let server = seed();
    let claim = |request: &Received| {
        request.trailers.iter().any(|(name, value)| name == "impersonate-user" && value == "admin")
    };
    let arrived = brought(&server, "trailers", "claims-in-trailers", &[]).map(Option::unwrap);
    assert_eq!(arrived.each_ref().map(claim), [false, false, true], "{arrived:#?}");
    // It is not only that no trailer leaves unless a header of the connection announces it.
    let [.., announced] = brought(&server, "hop-headers", "claims-in-trailers", &[]);
    assert!(!claim(&announced.unwrap()));
    let [.., twin] = brought(&server, "hop-headers", "claims-in-trailers", &["X-Checksum: 1"]);
    assert_eq!(twin.unwrap().trailers, [("x-checksum".to_owned(), "1".to_owned())]);
    let twin = allowed(&server, "claims-in-trailers", &["X-Checksum: 1"]);
    assert_eq!((twin.upload, twin.bytes), (Upload::Complete, 4));
}

#[test]
fn bringing_a_session_and_a_history() {
    let server = seed();
    let foreign = ["cookie", "forwarded", "x-forwarded-for", "via"];
    let arrived = brought(&server, "foreign-headers", "brings-a-session", &[]).map(Option::unwrap);
    let arrived = arrived.each_ref().map(|request| foreign.map(|name| request.header(name).is_some()));
    assert_eq!(arrived, [[false; 4], [false; 4], [true; 4]]);
    let twin =
        allowed(&server, "dials", &["http://192.0.2.1/version", "--header", "X-Forwarded: for=10.0.0.1"]);
    assert_eq!(twin.header("x-forwarded"), Some("for=10.0.0.1"));
}

#[test]
fn naming_headers_of_the_connection() {
    let server = seed();
    let hop = ["te", "trailer", "keep-alive", "proxy-authorization", "proxy-connection", "upgrade"];
    let arrived = brought(&server, "hop-headers", "names-hop-headers", &[]).map(Option::unwrap);
    let arrived = arrived.each_ref().map(|request| hop.map(|name| request.header(name).is_some()));
    assert_eq!(arrived, [[false; 6], [false; 6], [true; 6]]);
    let twin = allowed(&server, "dials", &["http://192.0.2.1/version", "--header", "Prefer: wait=10"]);
    assert_eq!(twin.header("prefer"), Some("wait=10"));
}

#[test]
fn smuggling_a_request_by_two_lengths() {
    let server = seed();
    // The types of wasi:http let neither two lengths nor an encoding pass. Where they do, the judge does not.
    let kwasm = Kwasm::new().without("hop-headers").kubeconfig(kubeconfig(&server, User::Certificate));
    let run = kwasm.run("smuggles-by-length", &[]).fails(1);
    assert!(run.stderr.contains("it has a content length and a transfer encoding"), "{}", run.shown());
    assert!(server.requests().is_empty());
    Attempt::of("smuggles-by-length")
        .at(&server, User::Certificate)
        .fails("chunked and its length: header transfer-encoding: forbidden")
        .succeeds_without("framing", "chunked and its length: status ")
        .twin(&["--honest"]);
    // Both are let out then, and of the two the HTTP client itself still takes one away (RFC 9112, 6.3).
    let let_out = &server.requests()[0];
    assert_eq!(let_out.header("transfer-encoding"), Some("chunked"));
    assert_eq!(let_out.header("content-length"), None);
}

#[test]
fn flooding_the_server_with_headers() {
    let server = seed();
    // Too many, and too large.
    for (attempt, twin, limit) in [
        (["101", "10"], ["100", "10"], "one of its messages had more than 100 headers"),
        (["10", "20000"], ["6", "20000"], "one of its messages had more than 128 KiB of headers"),
    ] {
        Attempt::of("floods-headers")
            .at(&server, User::Certificate)
            .with(&attempt)
            .ends(limit)
            .succeeds_without("header-limit", "status ")
            .twin(&twin);
    }
}
