//! A connection that its server closes at the moment at which it is used again: the guest notices nothing where one of Go's
//! would not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::support::{Kwasm, Running};

/// Returns a server whose connections each answer one request, and are closed when they have read the next.
/// It reports each request that it read: its method, and the number of its connection.
fn server() -> (String, Receiver<(String, usize)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    // It ends with the process.
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (stream, tell) = (stream.unwrap(), tell.clone());
            thread::spawn(move || serve(&stream, number, &tell));
        }
    });
    (url, told)
}

fn serve(stream: &TcpStream, number: usize, tell: &Sender<(String, usize)>) {
    let mut reader = BufReader::new(stream);
    for round in 0..2 {
        let (mut first, mut length, mut chunked) = (String::new(), 0, false);
        if reader.read_line(&mut first).is_ok_and(|read| read == 0) {
            return;
        }
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok() && line != "\r\n" {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            chunked |= line.eq_ignore_ascii_case("transfer-encoding: chunked\r\n");
            line.clear();
        }
        // To its end, as a server that closes between two requests does: what was not sent whole is not sent again.
        while chunked {
            line.clear();
            let size = reader
                .read_line(&mut line)
                .map_or(0, |_| usize::from_str_radix(line.trim(), 16).unwrap_or(0));
            drop(reader.read_exact(&mut vec![0; size + 2]));
            chunked = size > 0;
        }
        drop(reader.read_exact(&mut vec![0; length]));
        let method = first.split(' ').next().unwrap().to_owned();
        drop(tell.send((method, number)));
        if round == 0 {
            let mut stream = stream;
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"));
        }
    }
}

/// Starts a guest that sends what it reads, one request a line.
fn sender(url: &str) -> (Kwasm, Running) {
    let kwasm = Kwasm::new();
    let path = kwasm.home().join("config");
    let config = serde_json::json!({
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "contexts": [{"name": "here", "context": {"cluster": "c"}}],
    });
    std::fs::write(&path, config.to_string()).unwrap();
    let spec = "{kubernetes: {rules: [{nonResourceURLs: ['*'], verbs: ['*']}]}}";
    let kwasm = kwasm.kubeconfig(path).spec(spec);
    let running = kwasm.start_with_input("sends-many", &[]);
    (kwasm, running)
}

/// Sends requests, each some time after the previous answer, and returns what the guest saw.
fn seen(running: &mut Running, requests: &[&str]) -> Vec<String> {
    let mut input = running.stdin();
    let answers = requests.iter().map(|request| {
        writeln!(input, "[{request}]").unwrap();
        let line = running.line();
        // Until the connection is free again.
        thread::sleep(Duration::from_millis(200));
        line
    });
    answers.collect()
}

fn told(told: &Receiver<(String, usize)>) -> Vec<(String, usize)> {
    told.try_iter().collect()
}

#[test]
fn a_get_is_sent_once_more_on_a_new_connection() {
    let (url, server) = server();
    let (_kwasm, mut running) = sender(&url);
    let get = r#""GET", "/version", [], null"#;
    assert_eq!(seen(&mut running, &[get, get, get]), ["status 200"; 3]);
    let run = running.end().success();
    assert_eq!(run.stderr, "");
    let connections: Vec<usize> = told(&server).into_iter().map(|(_, number)| number).collect();
    assert_eq!(connections, [0, 0, 1, 1, 2]);
}

#[test]
fn a_post_is_not_unless_it_says_that_it_may_come_twice() {
    let get = r#""GET", "/version", [], null"#;
    for (headers, answered) in [("[]", false), (r#"[["idempotency-key", "7"]]"#, true)] {
        let (url, server) = server();
        let (_kwasm, mut running) = sender(&url);
        let post = format!(r#""POST", "/version", {headers}, "body""#);
        let lines = seen(&mut running, &[get, &post]);
        assert_eq!(lines[1] == "status 200", answered, "{lines:?}");
        let posts = told(&server).into_iter().filter(|(method, _)| method == "POST").count();
        assert_eq!(posts, if answered { 2 } else { 1 });
    }
}
