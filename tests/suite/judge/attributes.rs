//! Tests that method, path and query are read like by the API server's own code.

use std::process::Command;

use serde_json::{Value, json};

use super::{ask, ours, rng};

/// Compares both for each request, and returns how many were refused.
#[track_caller]
fn compare(oracle: Command, requests: &[(String, String)]) -> usize {
    let questions: Vec<Value> =
        requests.iter().map(|(method, url)| json!({"method": method, "url": url})).collect();
    let mut refused = 0;
    for ((method, url), mut answer) in requests.iter().zip(ask(oracle, &questions)) {
        let Some(attempt) = ours(method, url) else {
            refused += 1;
            continue;
        };
        let answer = answer.as_object_mut().unwrap();
        assert!(
            !answer.contains_key("error"),
            "{method} {url}: the API server refuses what passes: {answer:?}"
        );
        answer.remove("allowed");
        assert_eq!(serde_json::to_value(attempt.info()).unwrap(), json!(answer), "{method} {url}");
    }
    refused
}

const METHODS: &[&str] = &["GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "LIST"];

pub(super) const PATHS: &[&str] = &[
    "/",
    "/api",
    "/api/",
    "/api/v1",
    "/api/v1/",
    "/apis",
    "/apis/apps",
    "/apis/apps/v1",
    "/version",
    "/healthz/etcd",
    "/openapi/v3/api/v1",
    "/metrics",
    "/api/v1/pods",
    "/api/v1/pods/",
    "/api/v1/pods/web",
    "/api/v1/nodes/n/proxy/x/y",
    "/api/v1/namespaces",
    "/api/v1/namespaces/shop",
    "/api/v1/namespaces/shop/",
    "/api/v1/namespaces/shop/status",
    "/api/v1/namespaces/shop/finalize",
    "/api/v1/namespaces/shop/finalize/x",
    "/api/v1/namespaces/shop/pods",
    "/api/v1/namespaces/shop/pods/web",
    "/api/v1/namespaces/shop/pods/web/log",
    "/api/v1/namespaces/shop/pods/web/exec",
    "/api/v1/namespaces/shop/services/web:80/proxy/a/b",
    "/api/v1/namespaces/shop/namespaces",
    "/api/v1/namespaces/pods/pods",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/namespaces/shop/deployments/web/scale",
    "/apis/apps/v1/namespaces",
    "/api/v1/watch/pods",
    "/api/v1/watch/namespaces/shop/pods/web",
    "/api/v1/proxy/namespaces/shop/pods/web/x",
    "/api/v1/watch",
    "/api/v1/proxy",
    "/apis/x/v1/watch/namespaces",
    "/apis/x/v1/proxy/nodes/n",
    "/api/v1/watch/watch/pods",
    "/apiz/v1/pods",
    "/api/v1/namespaces/a%20b/pods",
    "/api/v1/pods/a%25b",
    "/api/v1/pods/%C3%BC",
    "/api/v1/pods/a%2Bb",
    "/api/v1/pods/a:b",
];

pub(super) const QUERIES: &[&str] = &[
    "",
    "?",
    "?watch",
    "?watch=",
    "?watch=1",
    "?watch=true",
    "?watch=false",
    "?watch=0",
    "?watch=FALSE",
    "?watch=no",
    "?WATCH=1",
    "?watch=false&watch=true",
    "?watch=true&watch=false",
    "?w%61tch=1",
    "?watch=%31",
    "?watch=%zz",
    "?watch;x=1",
    "?a=b;watch=1",
    "?limit=5",
    "?limit=x",
    "?limit=x&watch=1",
    "?limit=",
    "?limit=%2B5",
    "?timeoutSeconds=1_0",
    "?limit=99999999999999999999",
    "?fieldSelector=metadata.name=db",
    "?fieldSelector=metadata.name%3Ddb&watch=1",
    "?fieldSelector=metadata.name==db",
    "?fieldSelector=metadata.name!=db",
    "?fieldSelector=metadata.name=b,metadata.name=a",
    "?fieldSelector=x=y,metadata.name=a",
    "?fieldSelector=metadata.name=a%2Fb",
    "?fieldSelector=metadata.name=..",
    "?fieldSelector=metadata.name=",
    "?fieldSelector=bad",
    "?fieldSelector=metadata.name=a\\,b",
    "?fieldSelector=metadata.name=a\\",
    "?fieldSelector=,metadata.name=a,",
    "?fieldSelector==",
    "?fieldSelector=metadata.name=a&labelSelector=a=b",
    "?fieldSelector=metadata.name=a&labelSelector=a+in+(b,c)",
    "?fieldSelector=metadata.name=a&labelSelector=((",
    "?fieldSelector=metadata.name=a&limit=x",
    "?labelSelector=((&watch=1",
    "?fieldSelector=metadata.name=a+b",
    "?fieldSelector=metadata.name=a&fieldSelector=metadata.name=b",
    "?sendInitialEvents=x&watch=1",
    "?resourceVersionMatch=x",
    "?fieldSelector=metadata.name=%ff",
    "?fieldSelector=metadata.name=a&labelSelector=!a,b!=c",
];

#[test]
fn every_path_with_every_query_and_method_is_taken_for_what_the_api_server_takes_it_for() {
    let test = "every_path_with_every_query_and_method_is_taken_for_what_the_api_server_takes_it_for";
    let Some(oracle) = super::oracle(test) else { return };
    let mut requests = Vec::new();
    for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"] {
        for path in PATHS {
            requests.extend(QUERIES.iter().map(|query| (method.to_owned(), format!("{path}{query}"))));
        }
    }
    let refused = compare(oracle, &requests);
    println!("{} requests, {refused} refused", requests.len());
    assert!(refused * 4 < requests.len(), "{refused}");
}

#[test]
fn fifty_thousand_random_requests_are_taken_for_what_the_api_server_takes_them_for() {
    let test = "fifty_thousand_random_requests_are_taken_for_what_the_api_server_takes_them_for";
    let Some(oracle) = super::oracle(test) else { return };
    let mut random = rng();
    let seed = random.get_seed();
    let words = [
        "api",
        "apis",
        "v1",
        "v2",
        "apps",
        "namespaces",
        "shop",
        "pods",
        "web",
        "log",
        "status",
        "finalize",
        "watch",
        "proxy",
        "exec",
        "nodes",
        "secrets",
        "deployments",
        "scale",
        "%61pi",
        "w%61tch",
        "namespace%73",
        "a%20b",
        "x:y",
        "..",
        "",
        "a%2fb",
        "openapi",
    ];
    let requests: Vec<(String, String)> = (0..50_000)
        .map(|_| {
            let mut path = String::new();
            // Half of them begin as a resource's path does, so that deep ones are not rare.
            if random.bool() {
                path.push_str(
                    random
                        .choice(["/api/v1", "/apis/apps/v1", "/api/v1/namespaces/shop", "/api/v1/watch"])
                        .unwrap(),
                );
            }
            for _ in 0..random.usize(0..7) {
                path.push('/');
                // The odd ones are refused, and should not be all.
                let known = if random.u8(..) < 245 { 23 } else { words.len() };
                path.push_str(words[random.usize(..known)]);
            }
            if path.is_empty() || random.u8(..) < 8 {
                path.push('/');
            }
            let query = QUERIES[random.usize(..QUERIES.len())];
            ((*random.choice(METHODS).unwrap()).to_owned(), format!("{path}{query}"))
        })
        .collect();
    let refused = compare(oracle, &requests);
    println!("seed {seed}: {} requests, {refused} refused", requests.len());
    assert!(refused * 3 < requests.len(), "{refused}");
}
