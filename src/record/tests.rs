//! Tests of what is recorded, and of how it is replayed.

use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::*;
use crate::message::Message;
use crate::policy::{Attempt, Context, Target};

fn attempt(method: Method, path: &str) -> Attempt {
    let target = Target::Context(Context::new("c", "shop", "c"));
    Attempt::read(target, method, Some(&path.parse().unwrap()), &HeaderMap::new()).unwrap()
}

fn get(path: &str) -> Attempt {
    attempt(Method::GET, path)
}

fn recorder() -> Arc<Recorder> {
    Arc::new(Recorder::new("plugin", "cluster", false))
}

fn request(recorder: &Arc<Recorder>, attempt: &Attempt) -> Arc<Exchange> {
    recorder.request(attempt, &HeaderMap::new()).unwrap()
}

/// Returns the lines of a record without their times.
fn lines(recorder: &Recorder) -> Vec<String> {
    let text = recorder.text(Path::new("r")).unwrap();
    Record::parse(Path::new("r"), text.as_bytes()).unwrap();
    let without_time = |line: &str| {
        let Some((before, rest)) = line.split_once("\"at\":") else { return line.to_owned() };
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        match rest.strip_prefix(',') {
            Some(rest) => format!("{before}{rest}"),
            None => format!("{}{rest}", before.trim_end_matches(',')),
        }
    };
    text.lines().skip(1).map(without_time).collect()
}

/// Returns a replay of what was recorded.
fn replay(recorder: &Recorder) -> Arc<Playback> {
    let text = recorder.text(Path::new("r")).unwrap();
    Arc::new(Playback::new(Record::parse(Path::new("r"), text.as_bytes()).unwrap(), false))
}

fn find(playback: &Arc<Playback>, attempt: &Attempt, body: &str) -> Result<Replayed, String> {
    let found = playback.find(attempt, &HeaderMap::new(), body.as_bytes());
    found.map_err(|Missing(message)| message.text)
}

/// Returns the bytes of an answer to its end.
async fn read(mut replayed: Replayed) -> String {
    let mut text = String::new();
    while let Some(event) = replayed.next().await {
        match event {
            Event::Data(bytes) => text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap()),
            Event::End { .. } => break,
            _ => {}
        }
    }
    text
}

#[test]
fn an_answer_is_one_line_and_one_of_a_stream_has_a_line_for_each_event() {
    let recorder = recorder();
    let list = request(&recorder, &get("/api/v1/pods"));
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-auth-token", HeaderValue::from_static("secret"));
    list.answered(StatusCode::OK, &headers);
    list.received(b"{\"items\"");
    list.received(b":[]}");
    list.ended(None);
    let watch = request(&recorder, &get("/api/v1/pods?watch=1"));
    watch.answered(StatusCode::OK, &HeaderMap::new());
    watch.received(b"{\"a\":1}\n{\"a\"");
    watch.received(b":2}\n{\"a\":");
    watch.ended(Some(Cut::Closed));
    assert_eq!(
        lines(&recorder),
        [
            r#"{"request":{"id":1,"context":"c","method":"GET","path":"/api/v1/pods"}}"#,
            r#"{"answer":{"id":1,"status":200,"headers":[["content-type","application/json"]],"body":{"json":{"items":[]}}}}"#,
            r#"{"request":{"id":2,"context":"c","method":"GET","path":"/api/v1/pods?watch=1"}}"#,
            r#"{"answer":{"id":2,"status":200,"headers":[]}}"#,
            r#"{"data":{"id":2,"body":{"jsonLine":{"a":1}}}}"#,
            r#"{"data":{"id":2,"body":{"jsonLine":{"a":2}}}}"#,
            r#"{"data":{"id":2,"body":{"text":"{\"a\":"}}}"#,
            r#"{"end":{"id":2,"cut":"closed"}}"#,
        ]
    );
}

#[test]
fn what_comes_between_the_parts_of_an_answer_stays_there() {
    let recorder = recorder();
    let (one, two) = (request(&recorder, &get("/one")), request(&recorder, &get("/two")));
    one.answered(StatusCode::OK, &HeaderMap::new());
    one.received(b"a");
    two.reported(&Message::plain("why"));
    two.failed("closed");
    one.received(b"b");
    one.ended(None);
    let three = request(&recorder, &attempt(Method::POST, "/three"));
    three.sent(b"body");
    three.answered(StatusCode::OK, &HeaderMap::new());
    three.received(b"unread");
    recorder.refused(&get("/four"), "it is not granted");
    recorder.interrupted();
    assert_eq!(
        lines(&recorder)[2..],
        [
            r#"{"answer":{"id":1,"status":200,"headers":[]}}"#,
            r#"{"message":{"id":2,"text":"why"}}"#,
            r#"{"failure":{"id":2,"error":"closed"}}"#,
            r#"{"data":{"id":1,"body":{"text":"ab"}}}"#,
            r#"{"end":{"id":1}}"#,
            r#"{"request":{"id":3,"context":"c","method":"POST","path":"/three","body":{"text":"body"}}}"#,
            r#"{"answer":{"id":3,"status":200,"headers":[]}}"#,
            r#"{"refused":{"context":"c","method":"GET","path":"/four","reason":"it is not granted"}}"#,
            r#"{"interrupted":{}}"#,
            r#"{"data":{"id":3,"body":{"text":"unread"}}}"#,
        ]
    );
}

#[test]
fn what_is_written_into_a_stream_that_the_server_has_closed_is_not_recorded() {
    let recorder = recorder();
    let exchange = request(&recorder, &get("/one"));
    exchange.answered(StatusCode::OK, &HeaderMap::new());
    exchange.sent_through(3);
    exchange.ended(None);
    exchange.sent_through(4);
    assert_eq!(lines(&recorder)[2..], [r#"{"sent":{"id":1,"bytes":3}}"#, r#"{"end":{"id":1}}"#]);
}

#[test]
fn a_request_that_the_guest_gave_up_has_its_body() {
    let recorder = recorder();
    request(&recorder, &attempt(Method::POST, "/one")).sent(b"dropped");
    let open = request(&recorder, &attempt(Method::POST, "/two"));
    open.sent(b"open");
    assert_eq!(
        lines(&recorder),
        [
            r#"{"request":{"id":1,"context":"c","method":"POST","path":"/one","body":{"text":"dropped"}}}"#,
            r#"{"request":{"id":2,"context":"c","method":"POST","path":"/two","body":{"text":"open"}}}"#,
        ]
    );
}

#[test]
fn what_the_server_passes_on_to_others_is_recorded_only_if_it_is_wanted() {
    let relayed = get("/api/v1/namespaces/shop/services/vault:8200/proxy/v1/login?key=hunter2");
    let nearby = get("/api/v1/namespaces/shop/services/vault?key=hunter2");
    for (keeps_secrets, lines_of_both) in [(false, (0, 1)), (true, (1, 1))] {
        let made = |attempt: &Attempt| {
            let recorder = Arc::new(Recorder::new("plugin", "cluster", keeps_secrets));
            let exchange = recorder.request(attempt, &HeaderMap::new());
            assert_eq!(exchange.is_none(), !recorder.left_out().is_empty());
            assert!(recorder.left_out().iter().all(|request| !request.contains("hunter2")));
            lines(&recorder).len()
        };
        assert_eq!((made(&relayed), made(&nearby)), lines_of_both);
        let refused = |attempt: &Attempt| {
            let recorder = Arc::new(Recorder::new("plugin", "cluster", keeps_secrets));
            recorder.refused(attempt, "it is not granted");
            lines(&recorder)[0].contains("hunter2")
        };
        assert_eq!((refused(&relayed), refused(&nearby)), (keeps_secrets, true));
    }
}

#[tokio::test]
async fn equal_requests_have_their_answers_in_order_and_no_more_than_recorded() {
    let recorder = recorder();
    for answer in ["first", "second"] {
        let exchange = request(&recorder, &get("/version"));
        exchange.answered(StatusCode::OK, &HeaderMap::new());
        exchange.received(answer.as_bytes());
        exchange.ended(None);
    }
    let playback = replay(&recorder);
    assert_eq!(playback.unused(), ["GET /version", "GET /version"]);
    for answer in ["first", "second"] {
        assert_eq!(read(find(&playback, &get("/version"), "").unwrap()).await, answer);
    }
    assert_eq!(
        find(&playback, &get("/version"), "").err().unwrap(),
        "GET /version: the record answers it 2 times, and it was made again"
    );
    assert!(playback.unused().is_empty());
}

#[tokio::test]
async fn a_body_distinguishes_requests_and_a_secret_in_it_does_not() {
    let recorder = recorder();
    let (configs, secrets) =
        (attempt(Method::POST, "/api/v1/configmaps"), attempt(Method::POST, "/api/v1/secrets"));
    for attempt in [&configs, &secrets] {
        let exchange = request(&recorder, attempt);
        exchange.sent(br#"{"data":{"a":"#);
        exchange.sent(br#""recorded"}}"#);
        exchange.answered(StatusCode::CREATED, &HeaderMap::new());
        exchange.ended(None);
    }
    let playback = replay(&recorder);
    let error = find(&playback, &configs, r#"{"data":{"a":"other"}}"#).err().unwrap();
    assert_eq!(error, "POST /api/v1/configmaps: it is in the record with another body");
    assert!(find(&playback, &configs, r#"{ "data": {"a": "recorded"} }"#).is_ok());
    assert!(find(&playback, &secrets, r#"{"data":{"b":"other"}}"#).is_err());
    assert!(find(&playback, &secrets, r#"{"data":{"a":"other"}}"#).is_ok());
}

#[tokio::test]
async fn an_answer_waits_for_the_request_that_came_before_it() {
    let recorder = recorder();
    let watch = request(&recorder, &get("/api/v1/pods?watch=1"));
    watch.answered(StatusCode::OK, &HeaderMap::new());
    let create = request(&recorder, &attempt(Method::POST, "/api/v1/pods"));
    create.answered(StatusCode::CREATED, &HeaderMap::new());
    create.ended(None);
    watch.received(b"created\n");
    watch.ended(None);
    let playback = replay(&recorder);
    let mut watch = find(&playback, &get("/api/v1/pods?watch=1"), "").unwrap();
    assert!(matches!(watch.next().await, Some(Event::Answer { .. })));
    let event = tokio::spawn(async move { watch.next().await });
    tokio::task::yield_now().await;
    assert!(!event.is_finished());
    let create = find(&playback, &attempt(Method::POST, "/api/v1/pods"), "").unwrap();
    tokio::task::yield_now().await;
    assert!(!event.is_finished(), "its answer comes before the event, too");
    drop(create);
    assert!(matches!(event.await.unwrap(), Some(Event::Data(Some(_)))));
}

#[tokio::test]
async fn a_request_that_does_not_come_is_not_waited_for_forever() {
    let recorder = recorder();
    let watch = request(&recorder, &get("/api/v1/pods?watch=1"));
    let _other = request(&recorder, &get("/version"));
    watch.answered(StatusCode::OK, &HeaderMap::new());
    let playback = replay(&recorder);
    let mut watch = find(&playback, &get("/api/v1/pods?watch=1"), "").unwrap();
    assert!(matches!(watch.next().await, Some(Event::Answer { .. })));
    assert_eq!(playback.unused(), ["GET /version"]);
}

#[tokio::test]
async fn the_clock_of_a_replay_shows_the_time_of_what_was_received() {
    let recorder = recorder();
    let exchange = request(&recorder, &get("/version"));
    std::thread::sleep(std::time::Duration::from_millis(20));
    exchange.answered(StatusCode::OK, &HeaderMap::new());
    let answered_at = recorder.clock().now();
    exchange.ended(None);
    let playback = replay(&recorder);
    assert!(playback.clock().now() < answered_at);
    assert_eq!(read(find(&playback, &get("/version"), "").unwrap()).await, "");
    assert_eq!(playback.clock().now(), answered_at);
}

#[test]
fn what_is_more_than_a_record_has_is_not_kept() {
    let recorder = recorder();
    let exchange = request(&recorder, &get("/large"));
    exchange.answered(StatusCode::OK, &HeaderMap::new());
    let piece = vec![b'x'; 16 << 20];
    for _ in 0..5 {
        exchange.received(&piece);
    }
    exchange.ended(None);
    assert!(recorder.request(&get("/more"), &HeaderMap::new()).is_none());
    assert!(matches!(recorder.text(Path::new("r")), Err(Error::Full(_))));
}
