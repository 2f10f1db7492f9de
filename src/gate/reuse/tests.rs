use super::*;
use crate::gate::Timeouts;
use crate::gate::exchange::{exchange, pool};
use crate::gate::failure::Failure;
use crate::gate::guest_body::GuestBody;
use crate::gate::lifetime::GuestLifetime;
use crate::gate::tcp::tcp;
use ::http::{Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use std::net::SocketAddr;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The ending of a connection when it is reused.
#[derive(Clone, Copy, Debug)]
enum End {
    Closed,
    Reset,
    /// Closed after these bytes.
    After(&'static str),
}

/// The first word of each request that a server read, with the number of its connection.
type Log = Arc<Mutex<Vec<(usize, String)>>>;

/// Starts a server whose connections answer `answers` requests each, and end after reading the next.
async fn server(answers: usize, end: End) -> (SocketAddr, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let log = Log::default();
    let seen = Arc::clone(&log);
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream, number, answers, end, &seen).await;
        }
    });
    (address, log)
}

async fn serve(mut stream: TcpStream, number: usize, answers: usize, end: End, log: &Log) {
    for round in 0..=answers {
        let Some(request) = read(&mut stream).await else { return };
        log.lock().unwrap().push((number, request));
        if round < answers {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    }
    match end {
        End::Closed => {}
        End::Reset => stream.set_zero_linger().unwrap(),
        End::After(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap(),
    }
}

/// Reads the method of a request and its body, which in every test arrives at once.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && (!head.contains("content-length: 4") || body.len() == 4)
        {
            return Some(format!("{} {body}", head.split(' ').next()?).trim_end().to_owned());
        }
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).await.ok().filter(|length| *length > 0)?;
        text.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
    }
}

type Pool = Client<Metered<HttpConnector<GaiResolver>>, GuestBody>;

async fn send(
    client: &Pool,
    address: SocketAddr,
    method: &str,
    headers: &[(&'static str, &str)],
) -> Result<StatusCode, Failure> {
    let text = if method == "POST" { "body" } else { "" };
    let mut request = Request::builder().method(method).uri(format!("http://{address}/"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync();
    let body = GuestBody::new(body, GuestLifetime::default(), &HeaderMap::new());
    let response = exchange(client, request.body(body).unwrap(), Timeouts::default()).await?;
    let status = response.status();
    // Read to its end, so that the connection is free again.
    drop(response.into_body().collect().await.unwrap());
    Ok(status)
}

/// Sends a GET, and then a request during which the connection ends. Returns the result of the latter, and
/// the server's log.
async fn twice(
    answers: usize,
    end: End,
    method: &str,
    headers: &[(&'static str, &str)],
) -> (bool, Vec<(usize, String)>) {
    let (address, log) = server(answers, end).await;
    let client = pool(tcp(GaiResolver::new()));
    if answers > 0 {
        send(&client, address, "GET", &[]).await.unwrap();
    }
    let sent = send(&client, address, method, headers).await;
    let seen = log.lock().unwrap().clone();
    (sent.is_ok(), seen)
}

fn seen(requests: &[(usize, &str)]) -> Vec<(usize, String)> {
    requests.iter().map(|(number, request)| (*number, (*request).to_owned())).collect()
}

#[tokio::test]
async fn a_safe_request_whose_kept_alive_connection_dies_is_sent_once_more_on_a_new_one() {
    for end in [End::Closed, End::Reset] {
        for method in ["GET", "OPTIONS", "TRACE"] {
            let (answered, requests) = twice(1, end, method, &[]).await;
            assert!(answered, "{method} {end:?}");
            assert_eq!(requests, seen(&[(0, "GET"), (0, method), (1, method)]), "{end:?}");
        }
    }
}

#[tokio::test]
async fn a_request_that_may_have_had_an_effect_is_not_sent_twice() {
    for (method, end) in [("POST", End::Closed), ("POST", End::Reset), ("DELETE", End::Closed)] {
        let (answered, requests) = twice(1, end, method, &[]).await;
        assert!(!answered, "{method} {end:?}");
        assert_eq!(requests.iter().filter(|(_, request)| request.starts_with(method)).count(), 1);
    }
}

#[tokio::test]
async fn a_request_that_says_it_may_come_twice_is_sent_once_more_with_its_body() {
    for key in ["idempotency-key", "x-idempotency-key"] {
        let (answered, requests) = twice(1, End::Closed, "POST", &[(key, "1")]).await;
        assert!(answered);
        assert_eq!(requests, seen(&[(0, "GET"), (0, "POST body"), (1, "POST body")]));
    }
}

#[tokio::test]
async fn a_new_connection_that_dies_is_not_tried_again() {
    let (answered, requests) = twice(0, End::Closed, "GET", &[]).await;
    assert!(!answered);
    assert_eq!(requests, seen(&[(0, "GET")]));
}

#[tokio::test]
async fn an_answer_that_has_begun_is_not_requested_again() {
    for begun in ["H", "HTTP/1.1 200 OK\r\n"] {
        let (answered, requests) = twice(1, End::After(begun), "GET", &[]).await;
        assert!(!answered, "{begun}");
        assert_eq!(requests, seen(&[(0, "GET"), (0, "GET")]));
    }
}

#[tokio::test]
async fn a_request_for_another_protocol_is_not_sent_twice() {
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    let (answered, requests) = twice(1, End::Closed, "GET", &upgrade).await;
    assert!(!answered);
    assert_eq!(requests, seen(&[(0, "GET"), (0, "GET")]));
}

#[tokio::test]
async fn a_connection_dies_as_reused_however_often_it_answered_before() {
    let (address, log) = server(3, End::Closed).await;
    let client = pool(tcp(GaiResolver::new()));
    for _ in 0..7 {
        assert_eq!(send(&client, address, "GET", &[]).await.unwrap(), StatusCode::OK);
    }
    let connections: Vec<usize> = log.lock().unwrap().iter().map(|(number, _)| *number).collect();
    assert_eq!(connections, [0, 0, 0, 0, 1, 1, 1, 1, 2]);
}
