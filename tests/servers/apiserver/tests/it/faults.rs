//! Each fault as a client meets it, with and without TLS.

use std::io::ErrorKind;
use std::time::Duration;

use kwasm_apiserver::{Answer, ApiServer, Cut, Fault, Upload, User};
use serde_json::json;

use crate::client::{Bare, Client, causes, eventually};

const SECRETS: &str = "/api/v1/namespaces/shop/secrets";

fn start() -> (ApiServer, Client) {
    let server = ApiServer::start().unwrap();
    let client = Client::new(&server);
    (server, client)
}

fn plain() -> ApiServer {
    ApiServer::builder().plain_http().start().unwrap()
}

/// Sends a bare GET, and returns the answer and how the connection ended.
fn bare(server: &ApiServer, path: &str) -> (String, std::io::Result<()>) {
    Bare::send(server, &format!("GET {path} HTTP/1.1\r\n{{auth}}\r\nConnection: close\r\n\r\n")).read()
}

#[test]
fn a_redirect_names_a_place() {
    let (server, client) = start();
    server.fault(Fault::redirect(307, "https://elsewhere.example/"));
    let answer = client.get("/version");
    assert_eq!(
        (answer.status, &answer.headers["location"]),
        (307, &"https://elsewhere.example/".parse().unwrap())
    );
    assert_eq!(client.get("/version").status, 200, "it happens once");
}

#[test]
fn a_status_comes_with_its_object_or_a_chosen_one() {
    let (server, client) = start();
    server.fault(Fault::status(403, None).on("POST", SECRETS));
    server.fault(Fault::status(503, Some(json!({ "busy": true }))).on("*", "/api/v1"));
    assert_eq!(client.get("/version").status, 200);
    assert_eq!(client.get(SECRETS).json(), json!({ "busy": true }));
    assert_eq!(client.post(SECRETS, &json!({ "metadata": { "name": "a" } })).reason(), "Forbidden");
    assert_eq!((server.get(SECRETS), server.faults()), (Some(json!([])), 0));
    assert_eq!(server.requests()[2].upload, Upload::Complete);
}

#[test]
fn a_few_requests_are_unauthorized_and_then_none() {
    let (server, client) = start();
    server.fault(Fault::unauthorized().times(2));
    let codes: Vec<u16> = (0..4).map(|_| client.get("/version").status).collect();
    assert_eq!(codes, [401, 401, 200, 200]);
}

#[test]
fn a_standing_fault_stays_until_cleared() {
    let (server, client) = start();
    server.fault(Fault::status(500, None).on("GET", SECRETS).standing());
    assert!((0..5).all(|_| client.get(SECRETS).status == 500));
    server.clear_faults();
    assert_eq!(client.get(SECRETS).status, 200);
}

#[test]
fn an_answer_is_kept_back_until_released() {
    let (server, client) = start();
    server.fault(Fault::stall());
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| client.get("/version").status);
        eventually("it is handled", || {
            server.requests().first().is_some_and(|received| received.status == Some(200))
        });
        assert_eq!(server.requests()[0].answer, Answer::Pending);
        server.release();
        assert_eq!(answer.join().unwrap(), 200);
    });
}

#[test]
fn a_client_that_leaves_a_stalled_answer_frees_its_connection() {
    let server = plain();
    server.fault(Fault::stall());
    let waiting = Bare::send(&server, "GET /version HTTP/1.1\r\n{auth}\r\n\r\n");
    eventually("it is handled", || {
        server.requests().first().is_some_and(|received| received.status.is_some())
    });
    drop(waiting);
    eventually("it is closed", || server.open_connections() == 0);
}

#[test]
fn a_body_stands_still_until_released() {
    let server = plain();
    server.fault(Fault::stall_after(10));
    let mut stalled =
        Bare::send(&server, "GET /source?bytes=26 HTTP/1.1\r\n{auth}\r\nConnection: close\r\n\r\n");
    stalled.read_to("abcdefghij\r\n");
    assert_eq!((server.requests()[0].sent, server.requests()[0].answer), (10, Answer::Open));
    server.release();
    let (rest, end) = stalled.read();
    assert_eq!(rest, "10\r\nklmnopqrstuvwxyz\r\n0\r\n\r\n");
    end.unwrap();
}

#[test]
fn a_connection_is_cut_in_place_of_an_answer() {
    let server = plain();
    server.fault(Fault::cut(Cut::Reset).on("*", "/version"));
    let (text, end) = bare(&server, "/version");
    assert_eq!((text.as_str(), end.unwrap_err().kind()), ("", ErrorKind::ConnectionReset));
    server.fault(Fault::cut(Cut::Close));
    let (text, end) = bare(&server, "/version");
    assert_eq!(text, "");
    end.unwrap();
    assert!(server.requests().iter().all(|received| received.status.is_none()));

    let (server, client) = start();
    server.fault(Fault::cut(Cut::Close).on("POST", SECRETS));
    let sent = client.send_as("POST", SECRETS, "application/json", r#"{"metadata":{"name":"a"}}"#);
    assert!(sent.is_err());
    assert_eq!(server.get(SECRETS), Some(json!([])), "the request has no effect");
}

#[test]
fn a_body_is_cut_after_some_bytes() {
    let server = plain();
    server.fault(Fault::cut_after(10, Cut::Close));
    let (text, end) = bare(&server, "/source?bytes=26&length=1");
    assert!(text.contains("content-length: 26\r\n") && text.ends_with("\r\n\r\nabcdefghij"), "{text}");
    end.unwrap();
    server.fault(Fault::cut_after(10, Cut::Reset));
    let (_, end) = bare(&server, "/source?bytes=26");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(server.requests().iter().all(|received| received.answer == Answer::Cut && received.sent == 10));
}

#[test]
fn a_body_that_ends_before_the_cut_lacks_its_end() {
    let server = plain();
    server.fault(Fault::cut_after(1000, Cut::Close));
    let (text, _) = bare(&server, "/source?bytes=26");
    assert!(text.ends_with("1A\r\nabcdefghijklmnopqrstuvwxyz\r\n"), "{text}");
}

#[test]
fn cuts_are_seen_through_tls() {
    let (server, client) = start();
    for how in [Cut::Close, Cut::Reset] {
        server.fault(Fault::cut_after(100_000, how));
        let mut source = client.watch("/source?bytes=1000000&length=1");
        let mut read = 0;
        let error = loop {
            match source.next() {
                Ok(piece) => read += piece.expect("an end where it was cut").len(),
                Err(error) => break error,
            }
        };
        assert!(read <= 100_000, "{how:?} after {read}: {}", causes(error.as_ref()));
    }
}

#[test]
fn a_slow_body_comes_in_small_pieces() {
    let server = plain();
    server.fault(Fault::slow(5, Duration::from_millis(1)));
    let (text, _) = bare(&server, "/source?bytes=12");
    assert!(text.ends_with("\r\n\r\n5\r\nabcde\r\n5\r\nfghij\r\n2\r\nkl\r\n0\r\n\r\n"), "{text}");
}

#[test]
fn a_length_may_be_wrong_either_way() {
    let server = plain();
    for length in [3, 300] {
        server.fault(Fault::content_length(length).on("GET", "/healthz"));
        let (text, end) = bare(&server, "/healthz");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\nok"), "{text}");
        assert!(text.contains(&format!("content-length: {length}\r\n")), "{text}");
        end.unwrap();
    }
    let (server, client) = start();
    server.fault(Fault::content_length(20));
    assert_eq!(client.get("/version").body.len(), 20, "more comes than is announced");
    server.fault(Fault::content_length(300_000));
    assert!(client.send_as("GET", "/version", "", "").is_err());
}

#[test]
fn any_bytes_may_be_answered() {
    let server = plain();
    let raw = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    server.fault(Fault::raw(raw));
    let (text, end) = bare(&server, "/version");
    assert_eq!(text, raw);
    end.unwrap();

    let (server, client) = start();
    server.fault(Fault::raw("HTTP/1.1 299 Odd\r\nContent-Length: 3\r\n\r\nodd"));
    let answer = client.get("/version");
    assert_eq!((answer.status, &answer.body[..]), (299, &b"odd"[..]));
    assert_eq!((server.requests()[0].status, client.get("/version").status), (None, 200));
}

#[test]
fn headers_are_added_to_normal_answers_and_faults() {
    let (server, client) = start();
    let challenge = format!("Bearer token=\"{}\"", server.token());
    server.fault(Fault::headers().with_header("set-cookie", "a=1").with_header("set-cookie", "b=2"));
    server.fault(Fault::unauthorized().with_header("www-authenticate", challenge.clone()));
    let answer = client.get("/version");
    assert_eq!((answer.status, answer.headers.get_all("set-cookie").iter().count()), (200, 2));
    let answer = client.get("/version");
    assert_eq!(
        (answer.status, answer.headers["www-authenticate"].to_str().unwrap()),
        (401, challenge.as_str())
    );
    server.fault(Fault::headers().with_header("no name", ""));
    assert_eq!(client.get("/version").status, 500);
}

#[test]
fn headers_may_be_many_and_huge() {
    let (server, client) = start();
    server.fault(Fault::many_headers(500, 10));
    assert!(client.get("/version").headers.len() > 500);
    server.fault(Fault::many_headers(1, 200_000));
    assert_eq!(client.get("/version").headers["x-filler-0"].len(), 200_000);
}

#[test]
fn a_list_can_be_gone() {
    let (server, client) = start();
    server.fault(Fault::gone());
    assert_eq!(client.get(SECRETS).reason(), "Expired");
}

#[test]
fn faults_are_matched_below_the_base_path_and_by_the_decoded_path() {
    let server = ApiServer::builder().base_path("c").start().unwrap();
    let client = Client::with(&server, server.authority(), server.client_certificate(User::Certificate));
    server.fault(Fault::status(500, None).on("GET", "/version"));
    assert_eq!(client.get("/v%65rsion").status, 500);
}
