//! Watches: their beginning, resumption and end.

use kwasm_apiserver::{Answer, ApiServer, Fault};
use serde_json::json;

use crate::client::{Client, eventually};

const SECRETS: &str = "/api/v1/namespaces/shop/secrets";

fn start() -> (ApiServer, Client) {
    let server = ApiServer::start().unwrap();
    let client = Client::new(&server);
    (server, client)
}

fn put(server: &ApiServer, name: &str, value: &str) {
    server.put(&format!("{SECRETS}/{name}"), json!({ "stringData": { "v": value } })).unwrap();
}

#[test]
fn a_watch_begins_with_what_there_is_and_goes_on() {
    let (server, client) = start();
    put(&server, "a", "1");
    let mut watch = client.watch(&format!("{SECRETS}?watch=true"));
    assert_eq!(watch.header("transfer-encoding"), Some("chunked"));
    assert_eq!(watch.seen().unwrap(), "ADDED a");
    put(&server, "b", "1");
    put(&server, "b", "2");
    server.put("namespaces/other/secrets/c", json!({})).unwrap();
    server.delete(&format!("{SECRETS}/a")).unwrap();
    assert_eq!(watch.seen().unwrap(), "ADDED b");
    assert_eq!(watch.seen().unwrap(), "MODIFIED b");
    let deleted = watch.event().unwrap();
    assert_eq!((&deleted["type"], &deleted["object"]["kind"]), (&json!("DELETED"), &json!("Secret")));
    let version: u64 = deleted["object"]["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    assert_eq!(version, server.version());
}

#[test]
fn a_watch_resumes_after_a_version() {
    let (server, client) = start();
    put(&server, "a", "1");
    let list = client.get(SECRETS).json();
    put(&server, "b", "1");
    let version = list["metadata"]["resourceVersion"].as_str().unwrap();
    let mut watch = client.watch(&format!("{SECRETS}?watch=1&resourceVersion={version}"));
    let first = watch.event().unwrap();
    assert_eq!(first["object"]["metadata"]["name"], "b");
    put(&server, "c", "1");
    let next = first["object"]["metadata"]["resourceVersion"].as_str().unwrap();
    let mut resumed = client.watch(&format!("{SECRETS}?watch=1&resourceVersion={next}"));
    assert_eq!(resumed.seen().unwrap(), "ADDED c");
    assert_eq!(watch.seen().unwrap(), "ADDED c");
}

#[test]
fn all_namespaces_and_selections_can_be_watched() {
    let (server, client) = start();
    let mut all = client.watch("/api/v1/secrets?watch=true");
    let mut labelled = client.watch("/api/v1/watch/secrets?labelSelector=app%3Dweb");
    put(&server, "a", "1");
    server.put("namespaces/other/secrets/b", json!({ "metadata": { "labels": { "app": "web" } } })).unwrap();
    server.put("namespaces/other/secrets/b", json!({})).unwrap();
    assert_eq!(all.seen().unwrap(), "ADDED a");
    assert_eq!(all.seen().unwrap(), "ADDED b");
    assert_eq!(all.seen().unwrap(), "MODIFIED b");
    assert_eq!(labelled.seen().unwrap(), "ADDED b");
    assert_eq!(labelled.seen().unwrap(), "DELETED b");
}

#[test]
fn a_version_that_was_compacted_is_gone() {
    let (server, client) = start();
    let old = server.version();
    put(&server, "a", "1");
    let mut begun = client.watch(&format!("{SECRETS}?watch=true&resourceVersion={old}"));
    server.compact();
    assert_eq!(begun.seen().unwrap(), "ADDED a", "a watch that has begun is not affected");
    let mut watch = client.watch(&format!("{SECRETS}?watch=true&resourceVersion={old}"));
    let error = watch.event().unwrap();
    assert_eq!((&error["type"], &error["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!((&error["object"]["reason"], &error["object"]["kind"]), (&json!("Expired"), &json!("Status")));
    assert_eq!(watch.event(), None);
    let exact = format!("{SECRETS}?resourceVersionMatch=Exact&resourceVersion={old}");
    assert_eq!(client.get(&exact).reason(), "Expired");

    let mut from_now = client.watch(&format!("{SECRETS}?watch=true&resourceVersion={}", server.version()));
    put(&server, "b", "1");
    assert_eq!(from_now.seen().unwrap(), "ADDED b");
}

#[test]
fn a_watch_ends_when_its_time_is_over_or_when_told() {
    let (server, client) = start();
    assert_eq!(client.watch(&format!("{SECRETS}?watch=true&timeoutSeconds=1")).event(), None);

    let mut watch = client.watch(&format!("{SECRETS}?watch=true"));
    put(&server, "a", "1");
    assert_eq!(watch.seen().unwrap(), "ADDED a");
    server.end_watches();
    assert_eq!(watch.event(), None);
    assert!(server.requests().iter().all(|received| received.answer == Answer::Complete));
}

#[test]
fn a_fault_ends_a_watch_after_some_events_or_says_gone() {
    let (server, client) = start();
    for name in ["a", "b", "c"] {
        put(&server, name, "1");
    }
    server.fault(Fault::end_watch(2));
    assert_eq!(client.get(SECRETS).status, 200, "a list is no watch");
    let mut watch = client.watch(&format!("{SECRETS}?watch=true"));
    assert_eq!((watch.seen().unwrap(), watch.seen().unwrap()), ("ADDED a".to_owned(), "ADDED b".to_owned()));
    assert_eq!(watch.event(), None);
    server.fault(Fault::gone().watches());
    let mut watch = client.watch(&format!("{SECRETS}?watch=true"));
    assert_eq!(watch.event().unwrap()["object"]["code"], 410);
    assert_eq!(watch.event(), None);
}

#[test]
fn a_watch_ends_with_its_client() {
    let (server, client) = start();
    put(&server, "a", "1");
    let mut watch = client.watch(&format!("{SECRETS}?watch=true"));
    assert_eq!(watch.seen().unwrap(), "ADDED a");
    assert_eq!((server.requests()[0].answer, server.open_connections()), (Answer::Open, 1));
    drop((watch, client));
    eventually("the watch is over", || server.requests()[0].answer == Answer::Cut);
    eventually("its connection is closed", || server.open_connections() == 0);
}

#[test]
fn ten_thousand_events_come_in_order() {
    let (server, client) = start();
    let mut watch = client
        .watch(&format!("/api/v1/events?watch=1&timeoutSeconds=300&resourceVersion={}", server.version()));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..10_000 {
                server.create_event("shop", "Counted", &n.to_string()).unwrap();
            }
        });
        for n in 0..10_000 {
            assert_eq!(watch.event().unwrap()["object"]["message"], n.to_string());
        }
    });
}

#[test]
fn ticks_are_made_one_after_the_other_and_say_when() {
    let (server, client) = start();
    let mut watch = client.watch("/api/v1/namespaces/shop/configmaps?watch=true");
    let answer = client.send("POST", "/ticks?namespace=shop&first=7&count=3&rate=1000", "");
    assert_eq!(answer.json(), json!({ "ticks": 3 }));
    let mut last = 0_u128;
    for number in 7..10 {
        let seen = watch.seen().unwrap();
        let made = seen.strip_prefix(&format!("ADDED tick-{number}-")).unwrap().parse().unwrap();
        assert!(made > last, "{seen}");
        last = made;
    }
    assert_eq!(server.get("namespaces/shop/configmaps").unwrap().as_array().unwrap().len(), 3);
}
