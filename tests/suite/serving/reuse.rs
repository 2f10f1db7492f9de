//! `limits: {reuse: N}`: instances that answer further requests, one after another.

use std::io::{BufReader, Read};
use std::thread;

use kwasm_apiserver::User;

use super::{GUESTS, Server, ask, read};
use crate::support::{Kwasm, kubeconfig, seed};

/// Serves a guest under these limits.
fn server(guest: &str, limits: &str, options: &[&str]) -> Server {
    let kwasm = Kwasm::new();
    let policy = kwasm.write_policy(&format!("{{limits: {limits}}}"));
    Server::of(&kwasm, guest, &[&["--policy", &policy], options].concat())
}

/// Returns how many requests the instance has answered that answers this one.
fn count(server: &Server) -> String {
    server.settled();
    server.get("/count").text().trim_end().to_owned()
}

#[test]
fn an_instance_answers_as_many_requests_as_its_policy_says() {
    for guest in GUESTS {
        let server = server(guest, "{reuse: 3}", &[]);
        let counts: Vec<String> = (0..7).map(|_| count(&server)).collect();
        assert_eq!(counts, ["1", "2", "3", "1", "2", "3", "1"], "{guest}");
        assert!((server.metric("kwasm_instantiation_seconds_count") - 3.0).abs() < 0.1, "{guest}");
    }
}

#[test]
fn an_instance_that_failed_or_left_something_open_answers_nothing_more() {
    for guest in GUESTS {
        let server = server(guest, "{reuse: 1000}", &["--deadline", "1s"]);
        // Which stream of WASI 0.3 is that of the answer, and whether it is all, only its guest knows.
        let open = if guest == "serves" { 502 } else { 200 };
        for (path, status) in [("/trap", 502), ("/slow?60000", 504), ("/open", open)] {
            assert_eq!(count(&server), "1", "{guest} {path}");
            assert_eq!(count(&server), "2", "{guest} {path}");
            assert_eq!(server.get(path).status, status, "{guest} {path}");
        }
        assert_eq!(count(&server), "1", "{guest}");
    }
}

#[test]
fn instances_that_are_reused_answer_one_request_at_a_time() {
    for guest in GUESTS {
        let server = server(guest, "{reuse: 1000}", &[]);
        for _ in 0..2 {
            let mut streams: Vec<_> = (0..8).map(|_| server.connect()).collect();
            for stream in &mut streams {
                ask(stream, "GET", "/slow?300", b"");
            }
            let readers =
                streams.into_iter().map(|stream| thread::spawn(|| read(&mut BufReader::new(stream))));
            for reader in readers.collect::<Vec<_>>() {
                assert_eq!(reader.join().unwrap().text(), "slow\n", "{guest}");
            }
            server.settled();
        }
        assert!((server.metric("kwasm_instantiation_seconds_count") - 8.0).abs() < 0.1, "{guest}");
    }
}

#[test]
fn a_request_of_its_own_that_a_guest_leaves_open_breaks_no_answer() {
    let server = server("serves", "{reuse: 1000}", &[]);
    assert_eq!(count(&server), "1");
    let answer = server.get("/unsent");
    assert_eq!((answer.status, answer.is_whole, &*answer.text()), (200, true, "whole\n"));
    assert_eq!(count(&server), "1");
}

#[test]
fn a_client_that_goes_away_takes_no_instance_along_that_is_reused() {
    for guest in GUESTS {
        let server = server(guest, "{reuse: 1000}", &[]);
        assert_eq!(count(&server), "1", "{guest}");
        // Before it is answered, and in the middle of the answer.
        for path in ["/slow?500", "/large?65536"] {
            let mut stream = server.connect();
            ask(&mut stream, "GET", path, b"");
            if path.starts_with("/large") {
                stream.read_exact(&mut [0; 1024]).unwrap();
            }
            drop(stream);
            server.settled();
        }
        assert_eq!(count(&server), "2", "{guest}");
    }
}

#[test]
fn an_instance_that_is_reused_keeps_its_policy_and_its_limits() {
    let cluster = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&cluster, User::Token));
    let policy = kwasm.write_policy(
        "{limits: {reuse: 1000, memory: 16Mi}, kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]}}",
    );
    let mut server = Server::of(&kwasm, "serves", &["--policy", &policy]);
    for answered in ["1", "2"] {
        assert_eq!(count(&server), answered);
        let pods = server.get("/cluster?/api/v1/namespaces/shop/pods").text();
        assert!(pods.contains("PodList"), "{pods}");
        let reached = cluster.requests().len();
        let refused = server.get("/cluster?/api/v1/namespaces/shop/secrets").text();
        assert!(refused.starts_with("failed: "), "{refused}");
        assert_eq!(cluster.requests().len(), reached);
    }
    assert_eq!(server.get("/fill").status, 502);
    server.running.error_with("it needed more than 16 MiB of memory");
    assert_eq!(count(&server), "1");
}
