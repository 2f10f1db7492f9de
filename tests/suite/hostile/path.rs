//! Tests of the meaning of a path, a query and a method, to the judge and to the server. The refused forms
//! are tested beside the code (src/policy/attempt.rs).

use kwasm_apiserver::{ApiServer, User};
use serde_json::json;

use super::Attempt;
use crate::support::seed;

#[test]
fn climbing_out_of_the_servers_path() {
    let server = ApiServer::builder().base_path("/k8s/clusters/c-1").start().unwrap();
    for path in ["/../../../v3/tokens", "/%2e%2e/%2E%2e/.%2e/v3/tokens"] {
        Attempt::of("climbs-out-of-prefix")
            .at(&server, User::Certificate)
            .with(&[path])
            .fails("its path has a dot segment")
            // A path outside has a recognisable answer; there is no such path inside.
            .succeeds_without("dot-segments", "status 200")
            // Three dots are a name like any other.
            .twin(&["/.../.../.../v3/tokens"]);
    }
}

#[test]
fn hiding_a_slash_in_a_segment() {
    let server = seed();
    Attempt::of("encodes-slashes")
        .at(&server, User::Certificate)
        .fails("its path has an encoded slash")
        .succeeds_without("encoded-slashes", "status ")
        .twin(&["/api/v1/namespaces/shop/configmaps/db"]);
}

#[test]
fn hiding_a_resource_by_its_encoding() {
    let server = seed();
    let settings = "/api/v1/namespaces/shop/configmaps/settings";
    server.put(settings, json!({"data": {"colour": "green"}})).unwrap();
    Attempt::of("hides-resource")
        .at(&server, User::Certificate)
        .policy("read-only")
        .fails("get secrets \"db\" in namespace shop: the policy `read-only` does not allow it")
        .succeeds_without("decoding", "status 200: Secret db")
        .twin(&["/api/v1/namespaces/shop/%63onfigmaps/settings"]);
}

#[test]
fn putting_an_empty_segment_into_the_path() {
    let server = seed();
    for path in ["//api/v1/namespaces/shop/configmaps", "/api/v1/namespaces//shop/configmaps"] {
        Attempt::of("empties-segments")
            .at(&server, User::Certificate)
            .with(&[path])
            .fails("its path has an empty segment")
            .succeeds_without("empty-segments", "status ")
            // A slash at the end is one that the API server knows.
            .twin(&["/api/v1/namespaces/shop/configmaps/"]);
    }
}

#[test]
fn injecting_headers_by_line_ends() {
    let server = seed();
    Attempt::of("injects-crlf")
        .at(&server, User::Certificate)
        .fails("its path has a control character")
        // The one way in that the types of wasi:http leave open.
        .succeeds_without("control-characters", "done: encoded in the path: status ")
        .twin(&["/version%20Impersonate-User:%20admin"]);
    assert!(server.requests().iter().all(|request| request.header("impersonate-user").is_none()));
}

#[test]
fn sending_a_path_without_end() {
    let server = seed();
    for length in ["20000", "16385"] {
        Attempt::of("sends-endless-path")
            .at(&server, User::Certificate)
            .with(&[length])
            .fails("its path is longer than 16 KiB")
            .succeeds_without("path-length", "status ")
            .twin(&["16384"]);
    }
}

#[test]
fn asking_for_an_echo_of_the_credentials() {
    let server = seed();
    Attempt::of("traces")
        .at(&server, User::Certificate)
        .fails("TRACE would echo the credentials")
        .succeeds_without("methods", "status ")
        .twin(&["OPTIONS"]);
    assert_eq!(server.requests()[0].method, "TRACE");
}
