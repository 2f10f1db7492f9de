//! What goes wrong with a component is told, and does not concern the next request.

use std::io::{BufReader, Read};
use std::time::{Duration, Instant};

use super::{GUESTS, Server, ask, read};
use crate::support::Kwasm;

#[test]
fn a_component_that_fails_gives_an_error_to_its_client_and_a_line_to_operators() {
    // As little memory as is filled before the deadline on a busy machine.
    let kwasm = Kwasm::new();
    let policy = kwasm.write_policy("{limits: {memory: 16Mi}}");
    let mut server = Server::of(&kwasm, "serves", &["--deadline", "1s", "--policy", &policy]);
    for (path, status, text, line) in [
        ("/trap", 502, "the plugin failed\n", "the plugin trapped: wasm trap: wasm `unreachable`"),
        ("/fill", 502, "the plugin failed\n", "memory"),
        ("/exit", 502, "the plugin failed\n", "it ended itself, with exit code 7"),
        ("/nothing", 502, "the plugin failed\n", "the plugin returned without an answer"),
        ("/spin", 504, "the plugin took too long\n", "the plugin took longer than 1 s"),
        ("/slow?60000", 504, "the plugin took too long\n", "the plugin took longer than 1 s"),
        ("/open", 502, "the plugin failed\n", "the plugin returned before it had finished a body"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, &*answer.text()), (status, text), "{path}");
        server.running.error_with(line);
        assert_eq!(server.get("/").text(), "hello\n", "after {path}");
    }
    server.settled();
    for (reason, times) in [("trap", 2.0), ("limit", 1.0), ("silent", 1.0), ("deadline", 2.0)] {
        let counted = server.metric(&format!(r#"kwasm_faults_total{{reason="{reason}"}}"#));
        assert!((counted - times).abs() < 0.1, "{reason}: {counted}");
    }
}

#[test]
fn the_same_holds_for_wasi_0_3() {
    let mut server = Server::of(&Kwasm::new(), "serves-wasi3", &["--deadline", "1s"]);
    for (path, status, line) in [
        ("/trap", 502, "the plugin trapped: wasm trap: wasm `unreachable`"),
        ("/nothing", 502, "a request was not answered: the plugin failed: "),
        ("/spin", 504, "the plugin took longer than 1 s"),
        ("/slow?60000", 504, "the plugin took longer than 1 s"),
    ] {
        assert_eq!(server.get(path).status, status, "{path}");
        server.running.error_with(line);
        assert_eq!(server.get("/").text(), "hello\n", "after {path}");
    }
    server.settled();
}

#[test]
fn half_an_answer_is_not_taken_for_a_whole_one() {
    let mut server = Server::of(&Kwasm::new(), "serves", &[]);
    let answer = server.get("/half?300");
    assert_eq!((answer.status, &*answer.text(), answer.is_whole), (200, "half of it", false));
    server.running.error_with("the plugin trapped");
    // One that fails before anything was sent.
    assert_eq!(server.get("/half").status, 502);
    server.running.error_with("the plugin trapped");
    assert_eq!(server.get("/").text(), "hello\n");
}

/// Both compute all the time, on as many processors as there are.
#[test]
fn components_that_compute_forever_do_not_keep_others_waiting() {
    for guest in GUESTS {
        let server = Server::of(&Kwasm::new(), guest, &["--deadline", "5s"]);
        let mut busy: Vec<_> = (0..8).map(|_| server.connect()).collect();
        for stream in &mut busy {
            ask(stream, "GET", "/spin", b"");
        }
        let began = Instant::now();
        assert_eq!(server.get("/").text(), "hello\n");
        assert!(began.elapsed() < Duration::from_secs(4), "{guest}: it waited for the others");
        for stream in busy {
            assert_eq!(read(&mut BufReader::new(stream)).status, 504, "{guest}");
        }
    }
}

/// It stays connected, so that nothing but its time ends the instance.
#[test]
fn a_client_that_stops_reading_has_no_more_time_than_others() {
    for guest in GUESTS {
        let mut server = Server::of(&Kwasm::new(), guest, &["--deadline", "2s"]);
        let mut stream = server.connect();
        ask(&mut stream, "GET", "/large?100000", b"");
        let mut some = vec![0; 10_000];
        stream.read_exact(&mut some).unwrap();
        server.running.error_with("the plugin took longer than 2 s");
        server.settled();
        assert_eq!(server.get("/").text(), "hello\n");
    }
}

#[test]
fn an_answer_that_nobody_reads_is_given_up() {
    let server = Server::of(&Kwasm::new(), "serves", &[]);
    let mut stream = server.connect();
    ask(&mut stream, "GET", "/large?10000000", b"");
    let mut some = vec![0; 100_000];
    stream.read_exact(&mut some).unwrap();
    assert!((server.metric("kwasm_http_requests_in_flight") - 1.0).abs() < 0.1);
    drop(stream);
    server.settled();
    assert_eq!(server.get("/").text(), "hello\n");
}
