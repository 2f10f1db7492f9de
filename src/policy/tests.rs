use super::samples::policy;
use super::*;
use crate::message::Explain;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method};

fn attempt(method: Method, path: &str, headers: &HeaderMap) -> Attempt {
    let target = Target::Context(Context::new("test", "shop", "test"));
    let uri: PathAndQuery = path.parse().unwrap();
    Attempt::read(target, method, Some(&uri), headers).unwrap()
}

fn builtin(name: &str) -> Policy {
    Policy::builtin(name).unwrap().unwrap()
}

#[track_caller]
fn allows(policy: &Policy, method: Method, path: &str) {
    let decided = policy.decide(&attempt(method, path, &HeaderMap::new()));
    assert!(decided.is_ok(), "{path}: {decided:?}");
}

#[track_caller]
fn refuses(policy: &Policy, method: Method, path: &str) {
    let decided = policy.decide(&attempt(method, path, &HeaderMap::new()));
    let uncovered = Reason::Policy { layer: Layer::Grant, name: policy.name().to_owned() };
    assert_eq!(decided, Err(uncovered), "{path}");
}

const SECRET: &str = "/api/v1/namespaces/shop/secrets/db";

#[test]
fn cluster_permits_what_none_refuses() {
    allows(&builtin("cluster"), Method::GET, SECRET);
    allows(&builtin("cluster"), Method::OPTIONS, "/metrics");
    refuses(&builtin("none"), Method::GET, SECRET);
    refuses(&builtin("none"), Method::GET, "/version");
}

#[test]
fn read_only_reads_all_but_secrets_and_what_reaches_further() {
    let policy = builtin("read-only");
    for path in [
        "/api/v1/pods",
        "/api/v1/namespaces/shop/pods/web/log",
        "/api/v1/namespaces/shop/configmaps?watch=1",
        "/apis/apps/v1/deployments",
        "/apis/example.com/v1/namespaces/shop/things/x/status",
        "/version",
        "/apis/apps/v1",
        "/openapi/v3/apis/apps/v1",
    ] {
        allows(&policy, Method::GET, path);
    }
    for path in [
        SECRET,
        "/api/v1/secrets?watch=1",
        "/apis/example.com/v1/secrets",
        "/api/v1/namespaces/shop/pods/web/exec?command=id",
        "/api/v1/namespaces/shop/pods/web/attach",
        "/api/v1/namespaces/shop/pods/web/portforward",
        "/api/v1/namespaces/shop/pods/web/proxy/x",
        "/api/v1/namespaces/shop/services/web:80/proxy/x",
        "/api/v1/nodes/n/proxy/metrics",
        "/api/v1/proxy/nodes/n",
        "/metrics",
        "/logs/",
    ] {
        refuses(&policy, Method::GET, path);
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        refuses(&policy, method, "/api/v1/namespaces/shop/configmaps/x");
    }
}

#[test]
fn current_is_the_namespace_that_the_user_chose_and_no_other() {
    let policy = builtin("decoder");
    allows(&policy, Method::GET, SECRET);
    allows(&policy, Method::GET, "/api/v1/namespaces/shop/secrets");
    refuses(&policy, Method::GET, "/api/v1/namespaces/kube-system/secrets/db");
    refuses(&policy, Method::GET, "/api/v1/namespaces/kube-system/secrets");
    refuses(&policy, Method::GET, "/api/v1/secrets");
}

#[test]
fn a_policy_for_other_contexts_covers_nothing_here() {
    let rules = "rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
    for (contexts, covers) in [("[current]", true), ("[test]", true), ("\"*\"", true), ("[other]", false)] {
        let policy = policy(&format!("{{kubernetes: {{contexts: {contexts}, {rules}}}}}"));
        let attempt = attempt(Method::GET, SECRET, &HeaderMap::new());
        assert_eq!(policy.decide(&attempt).is_ok(), covers, "{contexts}");
    }
}

#[test]
fn nobody_speaks_as_somebody_unless_granted() {
    let impersonating = policy(
        "{kubernetes: {impersonate: true, rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]}}",
    );
    for (name, granted) in [
        ("authorization", false),
        ("impersonate-user", true),
        ("impersonate-extra-x", true),
        ("x-remote-user", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, "x".parse().unwrap());
        let attempt = attempt(Method::GET, SECRET, &headers);
        let refused = builtin("cluster").decide(&attempt).map(drop).unwrap_err();
        assert!(matches!(refused, Reason::SpeaksAs(found) if found.as_str() == name));
        assert_eq!(impersonating.decide(&attempt).is_ok(), granted, "{name}");
    }
}

#[test]
fn a_claim_is_not_hidden_by_another() {
    let mut headers = HeaderMap::new();
    headers.insert("impersonate-user", "x".parse().unwrap());
    headers.insert("x-remote-user", "x".parse().unwrap());
    let impersonating =
        policy("{kubernetes: {impersonate: true, rules: [{nonResourceURLs: ['*'], verbs: ['*']}]}}");
    assert!(impersonating.decide(&attempt(Method::GET, "/version", &headers)).is_err());
}

#[test]
fn an_empty_authorization_counts_as_none() {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", " ".parse().unwrap());
    assert!(builtin("cluster").decide(&attempt(Method::GET, SECRET, &headers)).is_ok());
    headers.append("authorization", "Bearer x".parse().unwrap());
    assert!(builtin("cluster").decide(&attempt(Method::GET, SECRET, &headers)).is_err());
}

#[test]
fn a_refusal_names_the_rule_that_allows_it_and_that_rule_does() {
    for path in [
        SECRET,
        "/api/v1/namespaces/other/pods/web/log",
        "/apis/apps/v1/deployments?watch=1",
        "/api/v1/nodes/n",
        "/metrics",
        "/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name=yes",
    ] {
        let attempt = attempt(Method::GET, path, &HeaderMap::new());
        let hint =
            attempt.refused(Reason::Policy { layer: Layer::Grant, name: "none".to_owned() }).hint().unwrap();
        let (_, rule) = hint.split_once("allows it: ").unwrap();
        let policy = policy(&format!("{{kubernetes: {{rules: [{rule}]}}}}"));
        assert!(policy.decide(&attempt).is_ok(), "{rule}");
        refuses(&policy, Method::DELETE, path);
    }
}

#[test]
fn a_rule_is_written_as_it_is_read() {
    for name in builtins() {
        for rule in builtin(name).rules() {
            let policy = policy(&format!("{{kubernetes: {{rules: [{rule}]}}}}"));
            assert_eq!(policy.rules(), std::slice::from_ref(rule), "{rule}");
        }
    }
}
