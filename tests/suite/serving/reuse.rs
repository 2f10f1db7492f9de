//! `limits: {reuse: N}`: instances that answer further requests, one after another.

use std::io::BufReader;
use std::thread;

use super::{GUESTS, Server, ask, read};
use crate::support::Kwasm;

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
fn an_instance_that_is_reused_keeps_its_policy_and_its_limits() {
    let mut server = server("serves", "{reuse: 1000, memory: 16Mi}", &[]);
    assert_eq!(count(&server), "1");
    let refused = server.get("/cluster?/api/v1/namespaces/shop/pods").text();
    assert!(refused.starts_with("failed: "), "{refused}");
    assert_eq!(count(&server), "2");
    assert_eq!(server.get("/fill").status, 502);
    server.running.error_with("it needed more than 16 MiB of memory");
    assert_eq!(count(&server), "1");
}
