//! What a client gets, and what the component may do meanwhile.

use std::io::{BufReader, Write};
use std::thread;

use kwasm_apiserver::User;

use super::{GUESTS, Server, ask, read};
use crate::support::{Kwasm, kubeconfig, seed};

#[test]
fn each_request_is_answered_by_an_instance_of_its_own() {
    for guest in GUESTS {
        let server = Server::of(&Kwasm::new(), guest, &[]);
        let mut stream = server.connect();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        for _ in 0..3 {
            ask(&mut stream, "GET", "/count", b"");
            let answer = read(&mut reader);
            assert_eq!((answer.status, &*answer.text(), answer.is_whole), (200, "1\n", true), "{guest}");
        }
        assert_eq!(server.get("/no").status, 404, "{guest}");
    }
}

#[test]
fn a_body_goes_both_ways_while_it_is_sent() {
    for guest in GUESTS {
        let server = Server::of(&Kwasm::new(), guest, &[]);
        let content: Vec<u8> =
            (0..10_000_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
        let mut stream = server.connect();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let sent = content.clone();
        let sender = thread::spawn(move || ask(&mut stream, "POST", "/echo", &sent));
        let answer = read(&mut reader);
        sender.join().unwrap();
        assert!(answer.is_whole && answer.body == content, "{guest}: {} bytes", answer.body.len());
    }
}

#[test]
fn the_component_sees_the_request_as_it_was_sent_and_its_own_arguments() {
    let server = Server::of(&Kwasm::new(), "serves", &["--", "--limit", "3"]);
    let mut stream = server.connect();
    write!(
        stream,
        "PUT /request?a=b%20c HTTP/1.1\r\nHost: shop.example:81\r\nAuthorization: Bearer mine\r\nX-Two: 1\r\nX-Two: 2\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let text = read(&mut BufReader::new(stream)).text();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(r#"Some(Scheme::Http) "shop.example:81""#), "{text}");
    assert_eq!(lines.next(), Some("Method::Put /request?a=b%20c"), "{text}");
    let rest: Vec<&str> = lines.collect();
    for header in ["authorization: Bearer mine", "x-two: 1", "x-two: 2"] {
        assert!(rest.contains(&header), "{text}");
    }
    assert_eq!(server.get("/arguments").text(), "serves --limit 3\n");
}

#[test]
fn an_instance_goes_on_after_its_answer_and_counts_until_then() {
    for guest in GUESTS {
        let mut server = Server::of(&Kwasm::new(), guest, &[]);
        assert_eq!(server.get("/after?300").text(), "answered\n");
        assert!((server.metric("kwasm_http_requests_in_flight") - 1.0).abs() < 0.1, "{guest}");
        server.running.error_with("went on after the answer");
        server.settled();
    }
}

#[test]
fn the_cluster_is_reached_as_far_as_the_policy_allows() {
    let cluster = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&cluster, User::Token));
    let pods = "/cluster?/api/v1/namespaces/shop/pods";
    let secrets = "/cluster?/api/v1/namespaces/shop/secrets";
    let mut server = Server::of(&kwasm, "serves", &["--policy", "read-only"]);
    for _ in 0..3 {
        assert!(server.get(pods).text().contains("PodList"));
        let refused = server.get(secrets).text();
        assert!(refused.starts_with("failed: "), "{refused}");
    }
    server.running.error_with("refused: GET http://192.0.2.1/api/v1/namespaces/shop/secrets: the policy");
    assert!((server.metric(r#"kwasm_gate_requests_total{decision="allowed"}"#) - 3.0).abs() < 0.1);
    assert!((server.metric(r#"kwasm_gate_requests_total{decision="refused"}"#) - 3.0).abs() < 0.1);
    let allowed = Server::of(&kwasm, "serves", &["--policy", "cluster"]);
    assert!(allowed.get(secrets).text().contains("SecretList"));
}
