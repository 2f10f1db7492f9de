//! `kwasm serve`: components that answer requests, under the policy and the bounds of a plugin that is run.

mod admission;
mod answers;
mod bounds;
mod certificates;
mod examples;
mod faults;
mod ports;
mod reuse;
mod traces;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::support::{Kwasm, Running, component};

/// A running `kwasm serve`, at a port that the system chose.
struct Server {
    running: Running,
    address: String,
    metrics: String,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
    /// Whether the body has come to its end.
    is_whole: bool,
}

impl Server {
    /// Serves a guest with these options.
    fn of(kwasm: &Kwasm, guest: &str, options: &[&str]) -> Self {
        let mut command = kwasm.command(["serve", "--addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0"]);
        command.arg(component(guest)).args(options);
        let mut running = Running::of(command);
        let line = running.error_with("metrics and health at ");
        let metrics = line.rsplit("//").next().unwrap().to_owned();
        let line = running.error_with("serving http");
        let address = line.rsplit("//").next().unwrap().to_owned();
        Self { running, address, metrics }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    fn get(&self, path: &str) -> Answer {
        get(&self.address, path)
    }

    /// Returns a number of its metrics, 0 if it has none yet.
    fn metric(&self, name: &str) -> f64 {
        let text = get(&self.metrics, "/metrics").text();
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
        line.map_or(0.0, |number| number.parse().unwrap())
    }

    /// Waits until no request is under way.
    fn settled(&self) {
        while self.metric("kwasm_http_requests_in_flight") > 0.0 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

fn get(address: &str, path: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    ask(&mut stream, "GET", path, b"");
    read(&mut BufReader::new(stream))
}

/// Sends a request on a connection that stays open.
fn ask(stream: &mut impl Write, method: &str, path: &str, body: &[u8]) {
    let length = body.len();
    // A server that answers before it has read everything may close the connection.
    drop(write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: shop.example\r\ncontent-length: {length}\r\n\r\n"
    ));
    drop(stream.write_all(body));
}

/// Reads an answer to its end, or as far as it comes.
fn read(stream: &mut impl BufRead) -> Answer {
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let status = line();
    let headers: Vec<String> = std::iter::from_fn(|| Some(line()).filter(|line| !line.is_empty())).collect();
    let status = status.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {status:?}")).parse().unwrap();
    let mut answer = Answer { status, headers, body: Vec::new(), is_whole: false };
    if let Some(length) = answer.header("content-length") {
        let mut body = vec![0; length.parse().unwrap()];
        answer.is_whole = stream.read_exact(&mut body).is_ok();
        answer.body = body;
    } else {
        answer.is_whole = chunks(stream, &mut answer.body).is_some();
    }
    answer
}

/// Reads a body in chunks; `None` if it breaks off.
fn chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> Option<()> {
    loop {
        let mut size = String::new();
        stream.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).ok()?;
        if size == 0 {
            return Some(());
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// Both versions of WASI have a guest with the same paths.
const GUESTS: [&str; 2] = ["serves", "serves-wasi3"];
