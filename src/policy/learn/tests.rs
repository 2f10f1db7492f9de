use http::uri::PathAndQuery;
use http::{HeaderMap, Method};

use super::*;
use crate::policy::{Attempt, Target};

const METHODS_OF_REQUESTS: [Method; 5] =
    [Method::GET, Method::GET, Method::GET, Method::POST, Method::DELETE];

fn context() -> Context {
    Context::new("test", "shop", "test")
}

fn attempt(method: Method, path: &str) -> Attempt {
    let uri: PathAndQuery = path.parse().unwrap();
    Attempt::read(Target::Context(context()), method, Some(&uri), &HeaderMap::new()).unwrap()
}

fn lesson(keeps_names: bool, attempts: &[Attempt]) -> Lesson {
    let mut lesson = Lesson::new(keeps_names);
    for attempt in attempts {
        lesson.add(attempt.info(), &context(), false);
    }
    lesson
}

/// Returns the rules that are learnt from requests, written as `METHOD PATH`, one per line.
fn learnt(keeps_names: bool, requests: &[&str]) -> Vec<String> {
    let attempts: Vec<Attempt> = requests
        .iter()
        .map(|request| {
            let (method, path) = request.split_once(' ').unwrap();
            attempt(method.parse().unwrap(), path)
        })
        .collect();
    let policy = lesson(keeps_names, &attempts).policy(Policy::named("test"));
    assert_eq!(Policy::read("written", &policy.to_string()).as_ref(), Ok(&policy));
    policy.rules().iter().map(ToString::to_string).collect()
}

#[test]
fn requests_with_the_same_namespace_and_verbs_share_a_rule() {
    let requests = [
        "GET /api/v1/namespaces/shop/pods",
        "GET /api/v1/namespaces/shop/pods?watch=1",
        "GET /api/v1/namespaces/shop/services",
        "GET /api/v1/namespaces/shop/services?watch=1",
        "GET /api/v1/namespaces/shop/pods/web/log",
        "GET /apis/apps/v1/namespaces/other/deployments/web",
    ];
    assert_eq!(
        learnt(false, &requests),
        [
            "{apiGroups: [\"\"], resources: [pods, services], verbs: [list, watch], namespaces: [current]}",
            "{apiGroups: [\"\"], resources: [pods/log], verbs: [get], namespaces: [current]}",
            "{apiGroups: [apps], resources: [deployments], verbs: [get], namespaces: [other]}",
        ]
    );
}

#[test]
fn names_are_kept_only_if_that_is_wanted() {
    let requests = [
        "GET /api/v1/namespaces/shop/secrets/a",
        "GET /api/v1/namespaces/shop/secrets/b",
        "GET /api/v1/namespaces/shop/pods?fieldSelector=metadata.name=web",
        "GET /api/v1/namespaces/shop/pods",
    ];
    let namespaces = "namespaces: [current]";
    assert_eq!(
        learnt(true, &requests),
        [
            format!("{{apiGroups: [\"\"], resources: [pods], verbs: [list], {namespaces}}}"),
            format!(
                "{{apiGroups: [\"\"], resources: [secrets], verbs: [get], {namespaces}, resourceNames: [a, b]}}"
            ),
        ]
    );
    assert_eq!(
        learnt(false, &requests[..2]),
        [format!("{{apiGroups: [\"\"], resources: [secrets], verbs: [get], {namespaces}}}")]
    );
}

#[test]
fn what_is_done_in_all_namespaces_needs_no_rule_for_one() {
    let requests = [
        "GET /api/v1/namespaces/shop/pods",
        "GET /api/v1/namespaces/other/pods",
        "GET /api/v1/pods",
        "GET /api/v1/namespaces/shop/pods/web",
        "GET /api/v1/namespaces/other/pods/web",
    ];
    assert_eq!(
        learnt(false, &requests),
        [
            "{apiGroups: [\"\"], resources: [pods], verbs: [list]}",
            "{apiGroups: [\"\"], resources: [pods], verbs: [get], namespaces: [current, other]}",
        ]
    );
}

#[test]
fn discovery_is_learnt_as_a_whole_and_other_paths_as_they_are() {
    let requests = [
        "GET /apis",
        "GET /apis/apps/v1",
        "GET /apis/batch/v1",
        "GET /version",
        "POST /version",
        "GET /metrics",
    ];
    let rules = learnt(false, &requests);
    assert_eq!(rules.len(), 2, "{rules:?}");
    assert!(rules[1].contains("[/version], verbs: [get, post]"), "{rules:?}");
    assert!(rules[0].contains("\"/apis/*\"") && rules[0].contains("/metrics"), "{rules:?}");
}

#[test]
fn what_opens_a_stream_is_learnt_as_both_verbs() {
    let mut lesson = Lesson::new(false);
    let exec = attempt(Method::GET, "/api/v1/namespaces/shop/pods/web/exec?command=id");
    lesson.add(exec.info(), &context(), true);
    let policy = lesson.policy(Policy::named("test"));
    assert_eq!(
        policy.rules()[0].to_string(),
        "{apiGroups: [\"\"], resources: [pods/exec], verbs: [get, create], namespaces: [current]}"
    );
}

#[test]
fn a_request_that_no_rule_of_its_own_covers_is_left_out_and_named() {
    let requests = [
        attempt(Method::OPTIONS, "/api/v1/namespaces/shop/pods"),
        attempt(Method::GET, "/api/v1/namespaces/shop/PODS"),
        attempt(Method::GET, "/api/v1/namespaces/A/pods"),
        attempt(Method::GET, "/x*y"),
        attempt(Method::GET, "/api/v1/namespaces/shop/services"),
    ];
    let lesson = lesson(false, &requests);
    assert_eq!(lesson.left_out().count(), 4, "{:?}", lesson.left_out);
    assert_eq!(lesson.policy(Policy::named("test")).rules().len(), 1);
}

#[test]
fn a_plugin_that_sends_ever_new_requests_does_not_fill_the_memory() {
    let mut lesson = Lesson::new(true);
    for number in 0..100_000 {
        let info = RequestInfo {
            is_resource_request: true,
            verb: "get".to_owned(),
            resource: "pods".to_owned(),
            namespace: "shop".to_owned(),
            name: format!("{number}"),
            ..RequestInfo::default()
        };
        lesson.add(&info, &context(), false);
    }
    assert_eq!(lesson.left_out().count(), NAMED);
    let policy = lesson.policy(Policy::named("test"));
    assert_eq!(policy.rules().len(), 1);
    assert_eq!(Policy::read("written", &policy.to_string()), Ok(policy));
}

#[test]
fn while_it_is_learnt_a_plugin_may_read_everything_and_no_more_unless_it_may_write() {
    let base = || Policy::builtin("cluster").unwrap().unwrap();
    let (reads, writes) = (base().for_learning("x", false), base().for_learning("x", true));
    assert_eq!((reads.name(), reads.description(), reads.hosts().len()), ("x", None, 0));
    for (method, path, is_read) in [
        (Method::GET, "/api/v1/namespaces/other/secrets", true),
        (Method::GET, "/api/v1/namespaces/shop/pods/web/log?follow=true", true),
        (Method::GET, "/api/v1/nodes?watch=1", true),
        (Method::HEAD, "/metrics", true),
        (Method::GET, "/api/v1/namespaces/shop/pods/web/exec?command=id", false),
        (Method::GET, "/api/v1/namespaces/shop/services/web/proxy/x", false),
        (Method::POST, "/api/v1/namespaces/shop/pods", false),
        (Method::DELETE, "/api/v1/namespaces/shop/pods/web", false),
        (Method::POST, "/version", false),
    ] {
        let attempt = attempt(method, path);
        assert_eq!(reads.decide(&attempt).is_ok(), is_read, "{attempt}");
        assert!(writes.decide(&attempt).is_ok(), "{attempt}");
    }
}

#[test]
fn what_a_plugin_requests_is_not_granted_while_it_is_learnt() {
    let spec = "{kubernetes: {contexts: '*', impersonate: true, rules: [{nonResourceURLs: ['*'], verbs: ['*']}]}, \
                files: [{path: '~', access: read-write}], environment: [HOME], network: [{host: a.example}], \
                flags: {own: ['-s']}, limits: {memory: 4Gi}}";
    let text = format!("apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: x}}\nspec: {spec}\n");
    let request = Policy::read("test.yaml", &text).unwrap();
    let mut expected = Policy::named("x");
    expected.own_flags = vec!["-s".to_owned()];
    assert_eq!(request.flags_alone(), expected);
}

#[test]
fn a_host_is_an_entry_of_network_once() {
    let mut lesson = Lesson::new(false);
    for name in ["a.example", "a.example", "[2606:4700::1111]", "-", "a b"] {
        lesson.add_host(Host { name: name.to_owned(), port: 443, private: false });
    }
    let policy = lesson.policy(Policy::named("test"));
    assert_eq!(policy.hosts().len(), 2);
    assert_eq!(Policy::read("written", &policy.to_string()), Ok(policy));
}

/// Returns a random request among few, so that many have something in common.
fn any(random: &mut fastrand::Rng) -> Attempt {
    let mut one = |words: &[&str]| words[random.usize(..words.len())].to_owned();
    let group = one(&["/api/v1", "/apis/apps/v1"]);
    let namespace = one(&["", "/namespaces/shop", "/namespaces/shop", "/namespaces/other"]);
    let resource = one(&["pods", "things"]);
    let name = one(&["", "/a", "/b", "/a/status"]);
    let query = one(&["", "?watch=1", "?fieldSelector=metadata.name=a"]);
    let url = one(&["/version", "/healthz", "/apis/x", "/openapi/v3", "/metrics"]);
    let method = METHODS_OF_REQUESTS[random.usize(..METHODS_OF_REQUESTS.len())].clone();
    let path = if random.u8(..5) == 0 { url } else { format!("{group}{namespace}/{resource}{name}{query}") };
    attempt(method, &path)
}

/// Of any run: each request is covered, no rule can be spared, and nothing is covered that no request was like.
#[test]
fn what_is_learnt_covers_the_requests_and_no_rule_of_it_can_be_spared() {
    let mut random = fastrand::Rng::with_seed(16);
    let (mut rules, mut covered, mut uncovered) = (0, 0, 0);
    for round in 0..400 {
        let keeps_names = round % 2 == 0;
        let attempts: Vec<Attempt> = (0..random.usize(1..20)).map(|_| any(&mut random)).collect();
        let policy = lesson(keeps_names, &attempts).policy(Policy::named("test"));
        assert_eq!(Policy::read("written", &policy.to_string()).as_ref(), Ok(&policy));
        let refuses = |policy: &Policy| attempts.iter().any(|attempt| policy.decide(attempt).is_err());
        assert!(!refuses(&policy), "{attempts:?}\n{policy}");
        for spared in policy.rules() {
            let others = policy.clone().only(|stated| stated.rule != spared);
            assert!(refuses(&others), "{spared}\n{attempts:?}\n{policy}");
        }
        for other in (0..20).map(|_| any(&mut random)) {
            let alone = attempts.iter().any(|attempt| {
                let policy = lesson(keeps_names, std::slice::from_ref(attempt)).policy(Policy::named("test"));
                policy.decide(&other).is_ok()
            });
            assert_eq!(policy.decide(&other).is_ok(), alone, "{other}\n{attempts:?}\n{policy}");
            if alone { covered += 1 } else { uncovered += 1 }
        }
        rules += policy.rules().len();
    }
    assert!(covered > 500 && uncovered > 500 && rules > 1000, "{covered} {uncovered} {rules}");
}
