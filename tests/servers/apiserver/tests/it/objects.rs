//! Create, get, list, replace, patch, delete, and discovery.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kwasm_apiserver::{ApiServer, demo};
use serde_json::{Value, json};

use crate::client::{Client, empty};

const SECRETS: &str = "/api/v1/namespaces/shop/secrets";

fn start() -> (ApiServer, Client) {
    let server = ApiServer::start().unwrap();
    let client = Client::new(&server);
    (server, client)
}

fn named(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name } })
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[test]
fn an_object_lives_from_create_to_delete() {
    let (server, client) = start();
    let created = client.post(SECRETS, &named("db"));
    assert_eq!(created.status, 201);
    let object = created.json();
    assert_eq!((&object["kind"], &object["apiVersion"]), (&json!("Secret"), &json!("v1")));
    for set in ["uid", "creationTimestamp", "resourceVersion", "namespace"] {
        assert!(object["metadata"][set].is_string(), "{set}: {object}");
    }
    let item = format!("{SECRETS}/db");
    assert_eq!(client.get(&item).json(), object);
    assert_eq!(server.get(&item), Some(object.clone()));
    assert_eq!(client.post(SECRETS, &named("db")).reason(), "AlreadyExists");

    let deleted = client.delete(&item);
    assert_eq!((deleted.status, &deleted.json()["status"]), (200, &json!("Success")));
    assert_eq!(deleted.json()["details"]["uid"], object["metadata"]["uid"]);
    let missing = client.get(&item);
    assert_eq!((missing.status, missing.reason().as_str()), (404, "NotFound"));
    assert_eq!(missing.json()["message"], "secrets \"db\" not found");
    assert_eq!(client.delete(&item).status, 404);
}

#[test]
fn lists_are_of_one_namespace_or_of_all() {
    let (_server, client) = start();
    client.post(SECRETS, &named("a"));
    client.post("/api/v1/namespaces/other/secrets", &named("b"));
    client.post("/api/v1/namespaces/shop/configmaps", &json!({ "metadata": { "name": "c" } }));
    assert_eq!(names(&client.get(SECRETS).json()), ["a"]);
    let all = client.get("/api/v1/secrets").json();
    assert_eq!((names(&all), &all["kind"]), (vec!["b", "a"], &json!("SecretList")));
    assert!(all["items"][0].get("kind").is_none(), "items of a list have no kind");
    let namespaces = client.get("/api/v1/namespaces").json();
    assert_eq!(names(&namespaces), ["default", "kube-system", "other", "shop"]);
    assert_eq!(client.get("/api/v1/namespaces/shop").json()["status"]["phase"], "Active");
}

#[test]
fn lists_come_in_pages() {
    let (server, client) = start();
    (0..7).for_each(|n| drop(client.post(SECRETS, &named(&format!("s{n}")))));
    let (mut seen, mut token, mut rest) = (Vec::new(), String::new(), Vec::new());
    loop {
        let page = client.get(&format!("{SECRETS}?limit=3&continue={token}")).json();
        seen.extend(names(&page).into_iter().map(ToOwned::to_owned));
        rest.push(page["metadata"]["remainingItemCount"].as_u64());
        match page["metadata"]["continue"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ["s0", "s1", "s2", "s3", "s4", "s5", "s6"]);
    assert_eq!(rest, [Some(4), Some(1), None]);
    client.post(SECRETS, &named("s7"));
    server.compact();
    assert_eq!(client.get(&format!("{SECRETS}?limit=3&continue={token}")).reason(), "Expired");
    assert_eq!(client.get(&format!("{SECRETS}?continue=x")).status, 400);
}

#[test]
fn selectors_choose() {
    let (server, client) = start();
    demo::seed(&server).unwrap();
    let list = |query: &str| client.get(&format!("/api/v1/namespaces/shop/{query}")).json();
    assert_eq!(names(&list("secrets?labelSelector=app%3Dweb")), ["web-tls"]);
    assert_eq!(names(&list("secrets?labelSelector=app!%3Dweb")), ["db"]);
    assert_eq!(names(&list("secrets?fieldSelector=metadata.name%3Ddb")), ["db"]);
    assert_eq!(names(&list("events?fieldSelector=reason%3DBackOff")), ["web-0.3"]);
    assert_eq!(client.get(&format!("{SECRETS}?fieldSelector=spec.x%3Dy")).reason(), "BadRequest");
}

#[test]
fn names_are_generated() {
    let (_server, client) = start();
    let sent = json!({ "metadata": { "generateName": "g-" } });
    let names = [client.post(SECRETS, &sent).json(), client.post(SECRETS, &sent).json()];
    assert_ne!(names[0]["metadata"]["name"], names[1]["metadata"]["name"]);
}

#[test]
fn objects_are_replaced_and_patched() {
    let (_server, client) = start();
    let item = format!("{SECRETS}/db");
    let mut object = client.post(SECRETS, &named("db")).json();
    let old = object.clone();
    object["data"] = json!({ "a": "YQ==", "b": "Yg==" });
    let replaced = client.send("PUT", &item, object.to_string());
    assert_eq!((replaced.status, &replaced.json()["data"]), (200, &object["data"]));
    assert_eq!(client.send("PUT", &item, old.to_string()).reason(), "Conflict");

    let merge = "application/merge-patch+json";
    let patch = r#"{"data":{"a":null},"metadata":{"labels":{"x":"y"}}}"#;
    let patched = client.send_as("PATCH", &item, merge, patch).unwrap().json();
    assert_eq!(
        (&patched["data"], &patched["metadata"]["labels"]),
        (&json!({ "b": "Yg==" }), &json!({ "x": "y" }))
    );
    let strategic = client.send_as("PATCH", &item, "application/strategic-merge-patch+json", patch).unwrap();
    assert_eq!(strategic.reason(), "UnsupportedMediaType");
}

#[test]
fn a_delete_may_have_a_precondition() {
    let (_server, client) = start();
    let object = client.post(SECRETS, &named("db")).json();
    let item = format!("{SECRETS}/db");
    let wrong = json!({ "preconditions": { "uid": "other" } });
    assert_eq!(client.send("DELETE", &item, wrong.to_string()).reason(), "Conflict");
    let right = json!({ "preconditions": { "uid": object["metadata"]["uid"] } });
    assert_eq!(client.send("DELETE", &item, right.to_string()).status, 200);
}

#[test]
fn what_is_wrong_is_refused_with_a_status() {
    let (server, client) = start();
    let refused = |method: &str, path: &str, body: &str| {
        let answer = client.send(method, path, body.to_owned());
        (answer.status, answer.reason())
    };
    let is = |code: u16, reason: &str| (code, reason.to_owned());
    assert_eq!(refused("POST", SECRETS, "{"), is(400, "BadRequest"));
    assert_eq!(refused("POST", SECRETS, ""), is(400, "BadRequest"));
    assert_eq!(refused("POST", SECRETS, r#"{"kind":"Pod"}"#), is(400, "BadRequest"));
    assert_eq!(refused("POST", SECRETS, r#"{"metadata":{"name":"A"}}"#), is(422, "Invalid"));
    assert_eq!(refused("POST", "/api/v1/secrets", "{}"), is(405, "MethodNotAllowed"));
    assert_eq!(refused("DELETE", SECRETS, ""), is(405, "MethodNotAllowed"));
    assert_eq!(refused("DELETE", "/api/v1/namespaces/shop", ""), is(405, "MethodNotAllowed"));
    assert_eq!(refused("GET", "/apis/apps/v1/deployments", ""), is(404, "NotFound"));
    assert_eq!(refused("GET", &format!("{SECRETS}?limit=x"), ""), is(400, "BadRequest"));
    let xml = client.send_as("POST", SECRETS, "application/xml", "<x/>").unwrap();
    assert_eq!((xml.status, xml.reason().as_str()), (415, "UnsupportedMediaType"));
    let other =
        client.open("GET", SECRETS, &[("accept", "application/xml")], empty()).unwrap().whole().unwrap();
    assert_eq!((other.status, other.reason().as_str()), (406, "NotAcceptable"));
    assert_eq!(server.get(SECRETS), Some(json!([])), "nothing was stored");
}

#[test]
fn a_dry_run_changes_nothing() {
    let (server, client) = start();
    assert_eq!(client.post(&format!("{SECRETS}?dryRun=All"), &named("db")).status, 201);
    assert_eq!(server.get(&format!("{SECRETS}/db")), None);
}

#[test]
fn a_server_says_what_it_has() {
    let (_server, client) = start();
    assert_eq!(client.get("/version").json()["major"], "1");
    assert_eq!(client.get("/api").json()["versions"], json!(["v1"]));
    assert_eq!(client.get("/apis").json()["groups"][0]["name"], "authentication.k8s.io");
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(client.get(probe).body, "ok");
    }
    let resources = client.get("/api/v1").json();
    let plurals: Vec<_> =
        resources["resources"].as_array().unwrap().iter().map(|entry| &entry["name"]).collect();
    assert_eq!(plurals, ["configmaps", "events", "namespaces", "pods", "secrets"]);
}

#[test]
fn a_long_list_is_sent_in_pieces() {
    let (server, client) = start();
    let text = "x".repeat(10_000);
    for n in 0..100 {
        let path = format!("namespaces/shop/configmaps/c{n:03}");
        server.put(&path, json!({ "data": { "text": text } })).unwrap();
    }
    let answer = client.get("/api/v1/configmaps");
    assert!(answer.headers.get("content-length").is_none() && answer.body.len() > 1_000_000);
    let list = answer.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 100);
    assert_eq!(list["items"][99]["data"]["text"], text);
}

#[test]
fn below_a_base_path_is_the_api_and_outside_is_another_tenant() {
    let server = ApiServer::builder().base_path("/k8s/clusters/c-1").start().unwrap();
    assert!(server.url().ends_with("/k8s/clusters/c-1"), "{}", server.url());
    let client = Client::new(&server);
    assert_eq!(client.post(SECRETS, &named("db")).status, 201);
    assert_eq!(client.get(&format!("{SECRETS}/db")).status, 200);
    assert_eq!(client.get("/../c-2/api").json(), json!({ "outside": "/k8s/clusters/c-2/api" }));
    assert_eq!(server.requests()[0].target, format!("/k8s/clusters/c-1{SECRETS}"));
}

#[test]
fn the_demo_is_seeded_and_can_be_applied_elsewhere() {
    let (server, client) = start();
    demo::seed(&server).unwrap();
    assert_eq!(names(&client.get(SECRETS).json()), ["db", "web-tls"]);
    assert_eq!(client.get("/api/v1/namespaces/shop/events").json()["items"].as_array().unwrap().len(), 4);
    demo::seed(&server).unwrap();

    // On another server it is the same, object by object, as kubectl would send it.
    let (_other, client) = start();
    for object in demo::manifests().unwrap()["items"].as_array().unwrap() {
        let path = match object["kind"].as_str().unwrap() {
            "Namespace" => "/api/v1/namespaces",
            "Secret" => SECRETS,
            _ => "/api/v1/namespaces/shop/events",
        };
        let created = client.post(path, object);
        assert_eq!(created.status, 201, "{created:?}");
    }
}

#[test]
fn the_demo_certificate_has_two_blocks_that_belong_together() {
    let (server, _client) = start();
    demo::seed(&server).unwrap();
    let secret = server.get("namespaces/shop/secrets/web-tls").unwrap();
    let pem = STANDARD.decode(secret["data"]["tls.crt"].as_str().unwrap()).unwrap();
    let blocks: Vec<_> = x509_parser::pem::Pem::iter_from_buffer(&pem).map(Result::unwrap).collect();
    let certificates: Vec<_> = blocks.iter().map(|block| block.parse_x509().unwrap()).collect();
    assert_eq!(certificates.len(), 2);
    assert_eq!(certificates[0].subject().to_string(), "CN=web.shop.example");
    assert_eq!(certificates[0].issuer(), certificates[1].subject());
    assert_ne!(certificates[1].issuer(), certificates[1].subject(), "an intermediate, no root");
}
