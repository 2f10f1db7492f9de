//! The same attempts by WASI 0.3: each fails at the same defence as its twin for 0.2.

use kwasm_apiserver::{ApiServer, Fault, Upload, User, demo};
use serde_json::json;

use super::Attempt;
use super::destination::{Trust, granting, host, leading_to, listener, url};
use super::headers::{SPEAKS_AS, allowed, brought};
use super::limits::upload;
use crate::support::{Kwasm, kubeconfig, seed};

const VERSION: &[&str] = &["dials", "GET", "/version"];

#[test]
fn dialling_another_host() {
    let (server, other, astray) = (seed(), host(), listener());
    let trust = Trust::of(&other);
    for target in
        ["https://collector.example/version", "http://169.254.169.254/latest/meta-data/", &url(&other)]
    {
        Attempt::of("wasi3")
            .at(&server, User::Certificate)
            .unheard_by(&other)
            .unheard_by(&astray)
            .variable("SSL_CERT_FILE", trust.file())
            .with(&["dials", "GET", target])
            .fails("the policy does not grant this host")
            .succeeds_without(&leading_to(&astray), "done: status 200")
            .spec(&granting(&other, true))
            .twin(&["dials", "GET", &url(&other)]);
    }
}

#[test]
fn rebinding_a_granted_name_to_the_users_own_network() {
    let (server, other) = (seed(), host());
    let trust = Trust::of(&other);
    Attempt::of("wasi3")
        .at(&server, User::Certificate)
        .unheard_by(&other)
        .variable("SSL_CERT_FILE", trust.file())
        .spec(&granting(&other, false))
        .with(&["dials", "GET", &url(&other)])
        .fails("the host is at a private address")
        .succeeds_without("private-addresses", "done: status 200")
        .spec(&granting(&other, true))
        .twin(&["dials", "GET", &url(&other)]);
}

#[test]
fn being_redirected_elsewhere() {
    let (server, other) = (seed(), listener());
    let target = format!("http://127.0.0.1:{}/version", other.port());
    server.fault(Fault::redirect(307, &target).on("GET", "/version").standing());
    Attempt::of("wasi3")
        .asking(&server, User::Certificate)
        .unheard_by(&other)
        .with(&["is-redirected", "/version"])
        .fails(&format!("not followed to {target}"))
        .succeeds_without("redirects", "stranger")
        .twin(&["is-redirected", "/api"]);
}

#[test]
fn naming_a_user_in_the_address() {
    let server = seed();
    Attempt::of("wasi3")
        .at(&server, User::Certificate)
        .with(&["dials", "GET", "http://admin@192.0.2.1/version"])
        .fails("the policy does not grant this host")
        .succeeds_without("userinfo", "done: status 200")
        .twin(VERSION);
}

/// What is refused of the path or the method alone, with the nearest one that is allowed.
#[test]
fn paths_and_methods() {
    let server = seed();
    let long = |length: usize| format!("/{}", "a".repeat(length - 1));
    let (longest, longer) = (long(16_384), long(16_385));
    for (method, path, why, defence, twin) in [
        ("GET", "/api/../version", "its path has a dot segment", "dot-segments", "/api/.../version"),
        ("GET", "/%2e%2e/version", "its path has a dot segment", "dot-segments", "/..a/version"),
        ("GET", "/api//v1", "its path has an empty segment", "empty-segments", "/api/v1/"),
        ("GET", "/api%2fv1", "its path has an encoded slash", "encoded-slashes", "/api/v1"),
        (
            "GET",
            "/version%0d%0aX:%20y",
            "its path has a control character",
            "control-characters",
            "/version%20X:%20y",
        ),
        ("GET", &longer, "its path is longer than 16 KiB", "path-length", &longest),
        ("TRACE", "/version", "TRACE would echo the credentials", "methods", "/version"),
    ] {
        Attempt::of("wasi3")
            .at(&server, User::Certificate)
            .with(&["dials", method, path])
            .fails(why)
            .succeeds_without(defence, "done: status ")
            .twin(&["dials", "GET", twin]);
    }
}

#[test]
fn hiding_a_resource_by_its_encoding() {
    let server = seed();
    let settings = "/api/v1/namespaces/shop/configmaps/settings";
    server.put(settings, json!({"data": {"colour": "green"}})).unwrap();
    Attempt::of("wasi3")
        .at(&server, User::Certificate)
        .policy("read-only")
        .with(&["dials", "GET", "/api/v1/namespaces/shop/%73ecrets/db"])
        .fails("get secrets \"db\" in namespace shop: the policy `read-only` does not allow it")
        .succeeds_without("decoding", "done: status 200")
        .twin(&["dials", "GET", "/api/v1/namespaces/shop/%63onfigmaps/settings"]);
}

#[test]
fn speaking_as_somebody() {
    let server = seed();
    for (attempt, twin) in [
        (["impersonates", "Impersonate-User"], ["impersonates", "X-Impersonated"]),
        (["impersonates", "X-Remote-User"], ["impersonates", "X-Remote"]),
        // An empty one claims nothing: client libraries without a credential send it.
        (["sets-authorization", "Bearer stolen"], ["sets-authorization", ""]),
    ] {
        Attempt::of("wasi3")
            .at(&server, User::Certificate)
            .with(&attempt)
            .fails(SPEAKS_AS)
            .succeeds_without("claims", "done: status ")
            .twin(&twin);
    }
}

#[test]
fn headers_that_do_not_arrive() {
    let server = seed();
    for (command, defence, names) in [
        ("brings-a-session", "foreign-headers", ["cookie", "forwarded", "x-forwarded-for", "via"].as_slice()),
        ("names-hop-headers", "hop-headers", &["te", "trailer", "keep-alive", "proxy-authorization"]),
    ] {
        let arrived = brought(&server, defence, "wasi3", &[command]).map(Option::unwrap);
        let arrived =
            arrived.each_ref().map(|request| names.iter().all(|name| request.header(name).is_some()));
        assert_eq!(arrived, [false, false, true], "{command}");
    }
    let twin = allowed(&server, "wasi3", &["impersonates", "X-Forwarded"]);
    assert_eq!(twin.header("x-forwarded"), Some("admin"));
}

#[test]
fn claiming_to_be_another_user_behind_the_body() {
    let server = seed();
    let claims = |request: &kwasm_apiserver::Received| {
        request.trailers.iter().any(|(name, value)| name == "impersonate-user" && value == "admin")
    };
    let arrived = brought(&server, "trailers", "wasi3", &["claims-in-trailers"]).map(Option::unwrap);
    assert_eq!(arrived.each_ref().map(claims), [false, false, true], "{arrived:#?}");
    let [.., twin] = brought(&server, "hop-headers", "wasi3", &["claims-in-trailers", "X-Checksum"]);
    assert_eq!(twin.unwrap().trailers, [("x-checksum".to_owned(), "admin".to_owned())]);
}

#[test]
fn smuggling_a_request_by_two_lengths() {
    let server = seed();
    Attempt::of("wasi3")
        .at(&server, User::Certificate)
        .with(&["smuggles-by-length", "chunked"])
        .fails("header: HeaderError::Forbidden")
        .succeeds_without("framing", "done: status ")
        .twin(&["smuggles-by-length", "honest"]);
    // No build is without this: the body is shorter than its length says.
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let before = server.uploads().len();
    kwasm.run("wasi3", &["smuggles-by-length", "short"]).fails(1);
    assert_eq!(server.uploads().len(), before);
}

#[test]
fn flooding_the_server_with_headers() {
    let server = seed();
    for (attempt, twin, limit) in [
        (["101", "10"], ["100", "10"], "one of its messages had more than 100 headers"),
        (["10", "20000"], ["6", "20000"], "one of its messages had more than 128 KiB of headers"),
    ] {
        Attempt::of("wasi3")
            .at(&server, User::Certificate)
            .with(&[&["floods-headers"], &attempt[..]].concat())
            .ends(limit)
            .succeeds_without("header-limit", "done: status ")
            .twin(&[&["floods-headers"], &twin[..]].concat());
    }
}

#[test]
fn flooding_the_server_with_requests() {
    let server = seed();
    Attempt::of("wasi3")
        .asking(&server, User::Certificate)
        .with(&["floods-requests", "65"])
        .fails("64 of 65 answered; the first of the others: status 429")
        .succeeds_without("request-limit", "65 of 65 answered")
        .twin(&["floods-requests", "64"]);
}

/// Of the streams there are three parts each, of the calls one.
#[test]
fn hoarding_handles_streams_and_calls() {
    let crowded = "it needed more than 16384 tasks, calls and ends of streams at a time";
    for (command, twin, limit, got) in [
        (
            ["hoards-handles", "200000"],
            ["hoards-handles", "4000"],
            "it needed more than 4096 handles at a time",
            "200000 handles",
        ),
        (["hoards-streams", "20000"], ["hoards-streams", "5000"], crowded, "20000 streams"),
        (["hoards-calls", "20000"], ["hoards-calls", "5000"], crowded, "20000 calls"),
    ] {
        Attempt::of("wasi3").with(&command).ends(limit).succeeds_without("handle-limit", got).twin(&twin);
    }
}

#[test]
fn exhausting_memory_and_time() {
    Attempt::of("wasi3")
        .spec("{limits: {memory: 64Mi}}")
        .with(&["fills-memory", "128"])
        .ends("it needed more than 64 MiB of memory")
        .succeeds_without("memory-limit", "took 128 MiB")
        .twin(&["fills-memory", "32"]);
    for how in ["busy", "waiting"] {
        Attempt::of("wasi3")
            .spec("{limits: {timeout: 1s}}")
            .with(&["outlasts", "2", how])
            .ends("it ran for longer than 1s")
            .succeeds_without("timeout", "outlasted")
            .twin(&["outlasts", "0", how]);
    }
}

/// It gets fewer bytes than it asked for, where 0.2 has no other way than to end the guest.
#[test]
fn asking_for_random_bytes_without_end() {
    Attempt::of("wasi3")
        .with(&["asks-for-random"])
        .fails("1048576 of 8388608 bytes")
        .succeeds_without("random-limit", "8388608 bytes")
        .twin(&["asks-for-random", "1048576"]);
}

/// A guest keeps no more connections by letting go of their sockets.
#[test]
fn a_thousand_sockets() {
    let server = seed();
    for what in ["keep", "streams"] {
        Attempt::of("wasi3")
            .asking(&server, User::Certificate)
            .with(&["hoards-sockets", "1000", what])
            .fails("64 sockets, then ")
            .succeeds_without("socket-limit", "1000 sockets")
            .twin(&["hoards-sockets", "64", what]);
    }
}

#[test]
fn sockets_without_the_gate() {
    let server = seed();
    Attempt::of("wasi3")
        .at(&server, User::Certificate)
        .with(&["opens-sockets", &server.address().to_string()])
        .fails("connect: ErrorCode::AccessDenied")
        .succeeds_without("sockets", &format!("connected to {}", server.address()))
        .twin(&["opens-sockets", "192.0.2.1:80"]);
    Attempt::of("wasi3")
        .asking(&server, User::Certificate)
        .with(&["binds-a-socket"])
        .fails("tcp: bind: ")
        .succeeds_without("sockets", "tcp: 127.0.0.1:")
        .twin(&["opens-sockets", "192.0.2.1:80"]);
    Attempt::of("wasi3")
        .with(&["looks-names-up", "localhost"])
        .fails("failed: ")
        .succeeds_without("sockets", " addresses")
        .twin(&["looks-names-up", "127.0.0.1"]);
}

#[test]
fn a_second_request_behind_an_allowed_one() {
    let server = ApiServer::builder().namespace(demo::NAMESPACE).start().unwrap();
    demo::seed(&server).unwrap();
    Attempt::of("wasi3")
        .asking(&server, User::Certificate)
        .with(&["pipelines", "/api/v1/namespaces/shop/secrets"])
        .policy("read-only")
        .fails("second status 403")
        .succeeds_without("except", "second status 200")
        .twin(&["pipelines", "/api/v1/namespaces/shop/pods"]);
}

/// A guest that ends in the middle of a body, however it ends: by a trap, an exit, the end of its `run`, a call that it
/// cancels, trailers that say so.
#[test]
fn half_a_body_never_looks_whole() {
    for end in ["trap", "exit", "return", "cancel", "err"] {
        let server = seed();
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        kwasm.run("wasi3", &["upload", "/sink", "1000000", end, "500000"]);
        assert_eq!(upload(&server), Upload::Aborted, "{end}");
        assert!(server.uploads().is_empty(), "{end}");
    }
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    kwasm.run("wasi3", &["upload", "/sink", "1000000"]).success();
    assert_eq!(upload(&server), Upload::Complete);
    // Without the defence, what is under way when the guest ends arrives as a shorter whole.
    let server = seed();
    let kwasm = Kwasm::new().without("aborted-bodies").kubeconfig(kubeconfig(&server, User::Token));
    kwasm.run("wasi3", &["upload", "/sink", "1000000", "trap", "500000"]);
    assert_eq!(upload(&server), Upload::Complete);
}

#[cfg(unix)]
#[test]
fn half_a_body_of_a_guest_that_the_user_ends_is_none() {
    for signal in ["INT", "KILL"] {
        let server = seed();
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        let mut running = kwasm.start("wasi3", &["upload", "/sink", "1000000", "stall", "500000"]);
        running.error_with("stalling");
        running.signal(signal);
        running.end();
        assert_eq!(upload(&server), Upload::Aborted, "{signal}");
        assert!(server.uploads().is_empty(), "{signal}");
    }
}

/// No defence can be disabled here: hyper aborts such a body too, and either would be enough.
#[test]
fn half_a_body_on_a_socket_is_none() {
    for end in ["drop", "trap", "return"] {
        let server = seed();
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        kwasm.run("wasi3", &["halves-a-request", end]);
        let whole = server.requests().iter().filter(|request| request.upload == Upload::Complete).count();
        assert_eq!(whole, 0, "{end}");
    }
}

#[test]
fn using_what_is_not_stable_where_a_policy_forbids_it() {
    Attempt::of("wasi3")
        .spec("{stableOnly: true}")
        .with(&["asks-for-random", "1"])
        .fails_with(126, "allows only what wasmtime calls stable")
        .succeeds_without("stable-only", "1 bytes")
        .spec("{stableOnly: false}")
        .twin(&["asks-for-random", "1"]);
}
