//! Where a server listens, what it says there, and what cannot be served.

use std::net::TcpListener;

use super::{Server, get};
use crate::support::{Kwasm, component};

#[test]
fn health_and_metrics_are_at_a_port_of_their_own() {
    let server = Server::of(&Kwasm::new(), "serves", &[]);
    assert_eq!(server.get("/").text(), "hello\n");
    server.settled();
    for path in ["/healthz", "/readyz"] {
        let answer = get(&server.metrics, path);
        assert_eq!((answer.status, &*answer.text()), (200, "ok\n"));
        assert_eq!(server.get(path).status, 404, "{path} is the component's, at its own port");
    }
    assert_eq!(get(&server.metrics, "/").status, 404);
    let answer = get(&server.metrics, "/metrics");
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    for line in [
        r#"kwasm_http_requests_total{code="200"} 1"#,
        r#"kwasm_http_requests_total{code="404"} 2"#,
        "kwasm_http_request_duration_seconds_count 3",
        "kwasm_http_requests_in_flight 0",
    ] {
        assert!(answer.text().lines().any(|found| found == line), "{line} is not in {}", answer.text());
    }
}

#[test]
fn what_cannot_be_served_is_told_with_its_cure() {
    let kwasm = Kwasm::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serves = component("serves");
    let serves = serves.to_str().unwrap();
    let run = kwasm.call(["serve", serves, "--addr", &address]).fails(125);
    assert!(run.stderr.contains(&format!("kwasm: cannot listen at {address}: ")), "{}", run.shown());
    assert!(run.stderr.contains("hint: another program listens there"), "{}", run.shown());
    let hello = component("hello");
    let run = kwasm.call(["serve", hello.to_str().unwrap()]).fails(2);
    assert!(run.stderr.contains("hello: it answers no requests"), "{}", run.shown());
    assert!(run.stderr.contains("kwasm run runs a command"), "{}", run.shown());
    let run = kwasm.call(["serve", serves, "--tls-cert", "/a.pem"]).fails(2);
    assert!(run.stderr.contains("--tls-key"), "{}", run.shown());
    let run = kwasm.call(["serve", serves, "--tls-cert", "/a.pem", "--tls-key", "/b.pem"]).fails(2);
    assert!(run.stderr.contains("kwasm: /a.pem: "), "{}", run.shown());
    for (flag, value) in [("--deadline", "soon"), ("--max-requests", "0"), ("--addr", "8080")] {
        let run = kwasm.call(["serve", serves, flag, value]).fails(2);
        assert!(run.stderr.contains(flag), "{}", run.shown());
    }
}

#[test]
fn a_server_is_no_command_and_says_what_runs_it() {
    let kwasm = Kwasm::new();
    let run = kwasm.run("serves", &[]).fails(126);
    assert!(run.stderr.contains("serves: it is a server, and no command"), "{}", run.shown());
    assert!(run.stderr.contains("hint: kwasm serve runs it"), "{}", run.shown());
    kwasm.call(["install", component("serves").to_str().unwrap(), "--policy", "none"]).success();
    let server = Server::of(&kwasm, "serves", &[]);
    assert_eq!(server.get("/").text(), "hello\n");
}
