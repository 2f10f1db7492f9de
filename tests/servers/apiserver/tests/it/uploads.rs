//! Bodies of any size, whole and aborted.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_lc_rs::digest;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame};
use kwasm_apiserver::{Answer, ApiServer, Upload};
use serde_json::json;
use tokio::sync::mpsc;

use crate::client::{Bare, Client, eventually};

const SECRETS: &str = "/api/v1/namespaces/shop/secrets";
const MIB: usize = 1 << 20;

fn plain() -> (ApiServer, Client) {
    let server = ApiServer::builder().plain_http().start().unwrap();
    let client = Client::new(&server).with_token(server.token());
    (server, client)
}

fn letters(count: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(count).collect()
}

#[test]
fn an_aborted_upload_leaves_nothing() {
    let (server, _client) = plain();
    let object = r#"{"metadata":{"name":"half"}}"#;
    for (number, framing, body) in [
        (0, "Content-Length: 100", object.to_owned()),
        // The object is whole, and only the last chunk is missing.
        (1, "Transfer-Encoding: chunked", format!("{:x}\r\n{object}\r\n", object.len())),
    ] {
        let text = format!("POST {SECRETS} HTTP/1.1\r\n{{auth}}\r\n{framing}\r\n\r\n{body}");
        let bare = Bare::send(&server, &text);
        eventually("the bytes are there", || {
            server.requests().get(number).is_some_and(|received| received.bytes == object.len() as u64)
        });
        assert_eq!(server.requests()[number].upload, Upload::Open);
        drop(bare);
        eventually("it is aborted", || server.requests()[number].upload == Upload::Aborted);
        assert_eq!(server.requests()[number].status, None);
    }
    assert_eq!(server.get(SECRETS), Some(json!([])));
}

#[test]
fn an_aborted_upload_is_not_sunk() {
    let (server, client) = plain();
    let bare = Bare::send(&server, "POST /sink HTTP/1.1\r\n{auth}\r\nContent-Length: 10\r\n\r\nfive!");
    eventually("it has begun", || server.requests().first().is_some_and(|received| received.bytes == 5));
    drop(bare);
    eventually("it is aborted", || server.requests()[0].upload == Upload::Aborted);
    client.send("PUT", "/sink", "whole");
    assert_eq!(server.uploads().len(), 1);
    assert_eq!(server.uploads()[0].bytes, 5);
}

#[test]
fn a_hundred_megabytes_are_sunk_and_hashed() {
    let server = ApiServer::start().unwrap();
    let client = Client::new(&server);
    let piece = Bytes::from(letters(MIB));
    let mut digest = digest::Context::new(&digest::SHA256);
    (0..100).for_each(|_| digest.update(&piece));
    let expected = digest.finish();
    let (sender, receiver) = mpsc::channel(1);
    let feeder =
        std::thread::spawn(move || (0..100).for_each(|_| sender.blocking_send(piece.clone()).unwrap()));
    let answer = client.open("POST", "/sink", &[], Fed(receiver).boxed()).unwrap().whole().unwrap().json();
    feeder.join().unwrap();
    assert_eq!(answer["bytes"], 100 * MIB);
    let hex = expected.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert_eq!(answer["sha256"], hex);
    assert_eq!((server.uploads()[0].sha256.clone(), server.requests()[0].bytes), (hex, 100 * MIB as u64));
}

#[test]
fn a_source_sends_what_was_asked_for() {
    let server = ApiServer::start().unwrap();
    let client = Client::new(&server);
    for (query, length) in [("bytes=1000000&chunk=1000", None), ("bytes=1000000&length=1", Some("1000000"))] {
        let answer = client.get(&format!("/source?{query}"));
        assert_eq!(answer.headers.get("content-length").map(|value| value.to_str().unwrap()), length);
        assert!(answer.body == letters(1_000_000), "the letters are others");
    }
    assert_eq!(client.get("/source?bytes=0").body.len(), 0);
    assert!(server.requests().iter().all(|received| received.answer == Answer::Complete));
}

#[test]
fn a_source_waits_for_its_reader() {
    let (server, client) = plain();
    let tebibyte = 1_u64 << 40;
    let mut source = client.watch(&format!("/source?bytes={tebibyte}"));
    let mut read = 0;
    while read < MIB {
        read += source.next().unwrap().unwrap().len();
    }
    drop((source, client));
    eventually("the source is given up", || server.requests()[0].answer == Answer::Cut);
    // What the sockets' buffers take may come on top, but nothing like all of it.
    assert!(server.requests()[0].sent < 1 << 30, "{}", server.requests()[0].sent);
}

#[test]
fn a_large_object_is_stored() {
    let server = ApiServer::start().unwrap();
    let client = Client::new(&server);
    let text = String::from_utf8(letters(5 * MIB)).unwrap();
    let object = json!({ "metadata": { "name": "big" }, "data": { "text": text } });
    assert_eq!(client.post("/api/v1/namespaces/shop/configmaps", &object).status, 201);
    assert_eq!(client.get("/api/v1/namespaces/shop/configmaps/big").json()["data"]["text"], text);
}

#[test]
fn an_early_answer_does_not_wait_for_the_upload() {
    let (server, _client) = plain();
    let text = "POST /nonsense HTTP/1.1\r\n{auth}\r\nContent-Length: 1000000000\r\n\r\n";
    let mut bare = Bare::send(&server, &format!("{text}{}", "x".repeat(300_000)));
    let head = bare.read_to("\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 404") && head.contains("connection: close"), "{head}");
    assert_eq!(server.requests()[0].upload, Upload::Unread);
}

#[test]
fn the_log_shows_requests_as_they_were() {
    let (server, _client) = plain();
    let text = "POST /%73ink?x=%2F HTTP/1.1\r\n{auth}\r\nX-Twice: 1\r\nX-Twice: 2\r\nTransfer-Encoding: chunked\r\n\
                Trailer: x-end\r\n\r\n3\r\nabc\r\n0\r\nx-end: yes\r\n\r\n";
    let mut bare = Bare::send(&server, text);
    bare.read_to("\r\n\r\n");
    let received = &server.requests()[0];
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/%73ink?x=%2F"));
    assert_eq!((received.path(), received.bytes, received.upload), ("/%73ink", 3, Upload::Complete));
    assert_eq!(received.headers.iter().filter(|(name, _)| name == "x-twice").count(), 2);
    assert_eq!(received.header("host"), Some("x"));
    assert_eq!(received.trailers, [("x-end".to_owned(), "yes".to_owned())]);
    assert_eq!((received.status, received.connection), (Some(200), 1));
}

/// A body out of a channel, without a length.
struct Fed(mpsc::Receiver<Bytes>);

impl Body for Fed {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
