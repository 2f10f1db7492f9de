//! How much there may be at a time, and what a hostile client gets.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::{GUESTS, Server, ask, read};
use crate::support::Kwasm;

const MIB: u64 = 1 << 20;

#[test]
fn requests_beyond_the_limit_are_told_to_come_again() {
    let server = Server::of(&Kwasm::new(), "serves", &["--max-requests", "2"]);
    let mut slow = [server.connect(), server.connect()];
    for stream in &mut slow {
        ask(stream, "GET", "/slow?2000", b"");
    }
    while server.metric("kwasm_http_requests_in_flight") < 2.0 {
        thread::sleep(Duration::from_millis(10));
    }
    let answer = server.get("/");
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    for stream in slow {
        assert_eq!(read(&mut BufReader::new(stream)).text(), "slow\n");
    }
    server.settled();
    assert_eq!(server.get("/").text(), "hello\n");
}

#[test]
fn connections_beyond_the_limit_wait_until_others_are_closed() {
    let server = Server::of(&Kwasm::new(), "serves", &["--max-connections", "3"]);
    let mut open: Vec<TcpStream> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut open {
        ask(stream, "GET", "/", b"");
        assert_eq!(read(&mut BufReader::new(stream.try_clone().unwrap())).text(), "hello\n");
    }
    let mut next = server.connect();
    ask(&mut next, "GET", "/", b"");
    next.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(next.read(&mut [0]).is_err(), "it was answered all the same");
    drop(open.pop());
    next.set_read_timeout(None).unwrap();
    assert_eq!(read(&mut BufReader::new(next)).text(), "hello\n");
}

#[test]
fn clients_that_say_nothing_do_not_keep_others_out() {
    let server = Server::of(&Kwasm::new(), "serves", &["--max-connections", "3"]);
    let mut silent: Vec<TcpStream> = (0..3).map(|_| server.connect()).collect();
    // Not even HTTP/2's first words are known from it.
    silent[1].write_all(b"PRI").unwrap();
    assert_eq!(server.get("/").text(), "hello\n");
    for stream in &mut silent {
        drop(stream.read_to_end(&mut Vec::new()));
    }
}

/// Three hundred MiB of it, since a test should end.
#[test]
fn a_body_that_nobody_reads_takes_no_memory() {
    let server = Server::of(&Kwasm::new(), "serves", &[]);
    assert_eq!(server.get("/").text(), "hello\n");
    let before = server.running.peak_memory();
    let mut stream = server.connect();
    write!(stream, "POST /slow?1000 HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", 300 * MIB).unwrap();
    let chunk = vec![0; 1 << 20];
    for _ in 0..300 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    assert_eq!(server.get("/").text(), "hello\n");
    if let (Some(before), Some(after)) = (before, server.running.peak_memory()) {
        assert!(after < before + 32 * MIB, "{before} bytes became {after}");
    }
}

#[test]
fn what_is_no_http_is_refused_and_the_next_request_answered() {
    for guest in GUESTS {
        what_is_not_http(&Server::of(&Kwasm::new(), guest, &[]));
    }
}

fn what_is_not_http(server: &Server) {
    let long = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    for (bytes, status) in [
        ("\u{16}\u{3}\u{1}no such protocol\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a b\r\n\r\n", "400"),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", "405"),
        ("GET / HTTP/9.9\r\nhost: a\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "400"),
        (&long, "431"),
        (&many, "431"),
    ] {
        let mut stream = server.connect();
        // It may be refused before all of it is sent.
        drop(stream.write_all(bytes.as_bytes()));
        let mut answer = Vec::new();
        drop(stream.shutdown(std::net::Shutdown::Write));
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let start: String = bytes.chars().take(40).collect();
        // One that was still sending may see its connection reset instead.
        assert!(
            answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{start:?}: {answer}"
        );
        assert_eq!(server.get("/").text(), "hello\n", "after {start:?}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_under_way_is_answered_before_it_ends() {
    let server = Server::of(&Kwasm::new(), "serves", &[]);
    let mut idle = server.connect();
    ask(&mut idle, "GET", "/", b"");
    let mut idle = BufReader::new(idle);
    assert_eq!(read(&mut idle).text(), "hello\n");
    let mut slow = server.connect();
    ask(&mut slow, "GET", "/slow?1500", b"");
    while server.metric("kwasm_http_requests_in_flight") < 1.0 {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(super::get(&server.metrics, "/readyz").status, 200);
    server.running.signal("TERM");
    while TcpStream::connect(&server.address).is_ok() {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(super::get(&server.metrics, "/readyz").status, 503);
    assert_eq!(super::get(&server.metrics, "/healthz").status, 200);
    assert_eq!(read(&mut BufReader::new(slow)).text(), "slow\n");
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    let run = server.running.end().success();
    assert!(run.stderr.contains("requests under way are answered first"), "{}", run.shown());
}

/// A client of HTTP/1.1 may send a request just when a server closes the connection, and must not send a POST again: so it is told by an answer.
#[cfg(unix)]
#[test]
fn a_connection_that_is_idle_when_the_end_begins_gets_one_more_answer() {
    let mut server = Server::of(&Kwasm::new(), "serves", &[]);
    let idle = server.connect();
    let mut answers = BufReader::new(idle.try_clone().unwrap());
    let mut idle = idle;
    ask(&mut idle, "POST", "/", b"");
    assert_eq!(read(&mut answers).header("connection"), None);
    server.running.signal("TERM");
    server.running.error_with("requests under way are answered first");
    ask(&mut idle, "POST", "/", b"");
    let last = read(&mut answers);
    assert_eq!((last.text().as_str(), last.header("connection")), ("hello\n", Some("close")));
    // Nothing is left to be waited for.
    assert_eq!(answers.read_to_end(&mut Vec::new()).unwrap(), 0);
    server.running.end().success();
}

#[cfg(unix)]
#[test]
fn a_second_signal_and_the_end_of_its_time_end_it_at_once() {
    for second in [true, false] {
        let options: &[&str] = if second { &[] } else { &["--grace", "1s"] };
        let server = Server::of(&Kwasm::new(), "serves", options);
        let mut slow = server.connect();
        ask(&mut slow, "GET", "/slow?20000", b"");
        while server.metric("kwasm_http_requests_in_flight") < 1.0 {
            thread::sleep(Duration::from_millis(10));
        }
        let Server { mut running, .. } = server;
        running.signal("TERM");
        running.error_with("requests under way are answered first");
        if second {
            running.signal("TERM");
        }
        let run = running.end().success();
        assert!(run.stderr.contains("ended before all was answered"), "{}", run.shown());
    }
}
