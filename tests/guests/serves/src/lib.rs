//! `kwasm serve serves.wasm`: each path is something that a server does, or that goes wrong with one.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use kube_guest::Cluster;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingRequest, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::{OutputStream, StreamError};

struct Guest;

wasip2::http::proxy::export!(Guest);

/// The requests that this instance has answered.
static ANSWERED: AtomicU32 = AtomicU32::new(0);

const MILLISECOND: u64 = 1_000_000;

impl wasip2::exports::http::incoming_handler::Guest for Guest {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let number = || query.parse().unwrap_or(1_u64);
        match path {
            "/" => text(out, "hello\n"),
            "/echo" => echo(&request, out),
            "/request" => text(out, &described(&request)),
            "/count" => text(out, &format!("{}\n", ANSWERED.fetch_add(1, Ordering::Relaxed) + 1)),
            "/arguments" => text(out, &format!("{}\n", std::env::args().collect::<Vec<_>>().join(" "))),
            "/large" => large(out, number()),
            "/slow" => {
                subscribe_duration(number() * MILLISECOND).block();
                text(out, "slow\n");
            }
            "/after" => {
                text(out, "answered\n");
                subscribe_duration(number() * MILLISECOND).block();
                eprintln!("went on after the answer");
            }
            "/cluster" => text(out, &cluster(query)),
            "/half" => {
                let (body, stream) = begin(out, 200);
                write(&stream, b"half of it").unwrap_or_default();
                if !query.is_empty() {
                    subscribe_duration(number() * MILLISECOND).block();
                }
                black_box(&body);
                trap()
            }
            "/open" => {
                let (body, stream) = begin(out, 200);
                write(&stream, b"the beginning").unwrap_or_default();
                std::mem::forget((body, stream));
            }
            "/unsent" => {
                let request = OutgoingRequest::new(Fields::new());
                let Ok(body) = request.body() else { trap() };
                std::mem::forget((request, body));
                text(out, "whole\n");
            }
            "/spin" => loop {
                black_box(0);
            },
            "/trap" => trap(),
            "/fill" => fill(),
            "/exit" => wasip2::cli::exit::exit_with_code(7),
            "/nothing" => {}
            _ => finish(begin(out, 404), b"no such path\n"),
        }
    }
}

fn trap() -> ! {
    std::process::abort()
}

fn fill() {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(black_box(vec![1; 1 << 20]));
    }
}

/// Begins an answer.
fn begin(out: ResponseOutparam, status: u16) -> (OutgoingBody, OutputStream) {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
    let Ok(body) = response.body() else { trap() };
    ResponseOutparam::set(out, Ok(response));
    let Ok(stream) = body.write() else { trap() };
    (body, stream)
}

fn finish((body, stream): (OutgoingBody, OutputStream), content: &[u8]) {
    write(&stream, content).unwrap_or_default();
    drop(stream);
    drop(OutgoingBody::finish(body, None));
}

fn text(out: ResponseOutparam, content: &str) {
    finish(begin(out, 200), content.as_bytes());
}

fn write(stream: &OutputStream, content: &[u8]) -> Result<(), StreamError> {
    content.chunks(4096).try_for_each(|chunk| stream.blocking_write_and_flush(chunk))
}

/// Answers with this many KiB.
fn large(out: ResponseOutparam, kilobytes: u64) {
    let (body, stream) = begin(out, 200);
    let chunk = [b'x'; 1024];
    for _ in 0..kilobytes {
        // Nobody reads any more.
        if write(&stream, &chunk).is_err() {
            return;
        }
    }
    finish((body, stream), b"");
}

/// Sends the body back while it arrives.
fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let (answer, stream) = begin(out, 200);
    let Ok(body) = request.consume() else { trap() };
    let Ok(incoming) = body.stream() else { trap() };
    while let Ok(chunk) = incoming.blocking_read(64 << 10) {
        if write(&stream, &chunk).is_err() {
            return;
        }
    }
    drop(incoming);
    drop(IncomingBody::finish(body));
    finish((answer, stream), b"");
}

/// Describes a request as its guest sees it.
fn described(request: &IncomingRequest) -> String {
    let mut lines = vec![
        format!("{:?} {:?}", request.scheme(), request.authority().unwrap_or_default()),
        format!("{:?} {}", request.method(), request.path_with_query().unwrap_or_default()),
    ];
    let headers = request.headers().entries();
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))));
    lines.join("\n") + "\n"
}

/// Gets this path of the cluster.
fn cluster(path: &str) -> String {
    let answer = Cluster::from_env().and_then(|cluster| cluster.get(path));
    match answer {
        Ok(body) => String::from_utf8_lossy(&body).into_owned(),
        Err(error) => format!("failed: {error}\n"),
    }
}
