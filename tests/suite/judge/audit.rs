//! Tests that the API server reads the gate's requests as the judge did, according to the server's own audit
//! log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use kwasm::policy::{Attempt, Policy, Target};
use serde_json::{Value, json};

use super::attributes::{PATHS, QUERIES};
use super::{context, rng};
use crate::support::{Kwasm, Real, Running, real};

/// The number of requests.
const REQUESTS: usize = 5_000;

/// The namespace in which the requests may change things. Whose requests they are may only read elsewhere, so that
/// whatever is generated, no other test is disturbed.
const NAMESPACE: &str = "audited";

/// The sender of the requests: a service account in a namespace where it may change nothing.
const SENDER: &str = "system:serviceaccount:audited-sender:sender";

const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "LIST", "get", "PROPFIND", "M-SEARCH",
    "TRACE",
];

const PREFIXES: &[&str] = &[
    "/api/v1",
    "/api/v1",
    "/api/v1/namespaces/audited",
    "/api/v1/namespaces/shop",
    "/api/v1/watch",
    "/apis/apps/v1",
    "/apis/apps/v1/namespaces/audited",
    "/apis/example.com/v1/namespaces/audited",
    "",
];

const WORDS: &[&str] = &[
    "api",
    "apis",
    "v1",
    "apps",
    "namespaces",
    "audited",
    "shop",
    "pods",
    "configmaps",
    "secrets",
    "nodes",
    "web",
    "web-0",
    "deployments",
    "log",
    "status",
    "scale",
    "finalize",
    "exec",
    "proxy",
    "watch",
    "version",
    "healthz",
    "metrics",
    "openapi",
    "%70ods",
    "namespace%73",
    "w%61tch",
    "a%20b",
    "x:y",
    "a+b",
    "a;b",
    "a,b=c",
    "%25",
    "%C3%BC",
    "ü",
    "~",
    "...",
    "a@b",
    "(c)",
    "'",
    "*",
    "a%3Fb",
    "a%23b",
    "{x}",
    "\"q\"",
    "a|b",
    "<x>",
    "[1]",
    "a^b",
    "`",
];

/// Segments that the gate refuses.
const REFUSED: &[&str] = &["..", ".", "", "%2e%2E", "a%2fb", "a%5cb", "%00", "%0a", "%zz", "%ff"];

const FURTHER_QUERIES: &[&str] = &[
    "?timeoutSeconds=1&watch=1",
    "?timeout=1s",
    "?timeout=x",
    "?pretty=true",
    "?dryRun=All",
    "?a=%00",
    "?a=b#watch=1",
    "?a=ü",
    "?a=\"b\"",
    "?a={b}",
    "?a=b|c",
    "?watch=1?watch=0",
    "?/../..",
    "?follow=true",
    "?allowWatchBookmarks=true&watch=true&resourceVersion=0",
];

const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/json"),
    ("accept", "application/json;as=Table;v=v1;g=meta.k8s.io"),
    ("accept", "application/vnd.kubernetes.protobuf"),
    ("accept", "text/html"),
    ("accept-encoding", "gzip"),
    ("audit-id", "of-the-guest"),
    ("content-type", "application/json"),
    ("content-type", "application/merge-patch+json"),
    ("content-type", "application/x-www-form-urlencoded"),
    ("cookie", "session=x"),
    ("forwarded", "for=10.0.0.1;host=x"),
    ("if-match", "*"),
    ("if-none-match", "*"),
    ("kubectl-command", "kubectl get"),
    ("max-forwards", "0"),
    ("origin", "https://elsewhere.example"),
    ("priority", "u=0"),
    ("range", "bytes=0-1"),
    ("referer", "/api/v1/secrets"),
    ("sec-websocket-protocol", "v5.channel.k8s.io"),
    ("via", "1.1 elsewhere"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-forwarded-host", "elsewhere.example"),
    ("x-forwarded-uri", "/api/v1/secrets"),
    ("x-http-method-override", "DELETE"),
    ("x-method-override", "DELETE"),
    ("x-original-url", "/api/v1/secrets"),
    ("x-rewrite-url", "/api/v1/secrets"),
    ("x-stream-protocol-version", "v4.channel.k8s.io"),
    ("x-words", "ü\t\"x\""),
    ("authorization", ""),
];

/// Headers that the gate or wasi:http refuses.
const REFUSED_HEADERS: &[(&str, &str)] = &[
    ("authorization", "Bearer x"),
    ("impersonate-user", "admin"),
    ("impersonate-extra-scopes", "x"),
    ("x-remote-user", "admin"),
    ("x-remote-group", "system:masters"),
    ("host", "elsewhere.example"),
    ("connection", "audit-id"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "websocket"),
];

const BODIES: &[&str] = &["{}", "watch=1&fieldSelector=metadata.name%3Da", "", "x"];

/// A request, as the guest `sends-many` reads it.
struct Request {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<&'static str>,
}

impl Request {
    fn any(random: &mut fastrand::Rng) -> Self {
        let mut one = |words: &[&'static str]| words[random.usize(..words.len())];
        let (method, body) = (one(METHODS), one(BODIES));
        let (mut url, ordinary) = (one(PREFIXES).to_owned(), one(PATHS));
        let method = if random.bool() { "GET" } else { method };
        if random.u8(..3) == 0 {
            ordinary.clone_into(&mut url);
        } else {
            let least = usize::from(url.is_empty());
            for _ in 0..random.usize(least..5) {
                url.push('/');
                let words = if random.u8(..) < 250 { WORDS } else { REFUSED };
                url.push_str(words[random.usize(..words.len())]);
            }
            if random.u8(..) < 16 {
                url.push('/');
            }
        }
        match random.u8(..8) {
            0..3 => url.push_str(QUERIES[random.usize(..QUERIES.len())]),
            3 => url.push_str(FURTHER_QUERIES[random.usize(..FURTHER_QUERIES.len())]),
            _ => {}
        }
        let mut headers: Vec<_> =
            (0..random.usize(..4)).map(|_| HEADERS[random.usize(..HEADERS.len())]).collect();
        if random.u8(..) < 10 {
            headers.push(REFUSED_HEADERS[random.usize(..REFUSED_HEADERS.len())]);
        }
        let body = (random.u8(..4) == 0).then_some(body);
        Self { method, url, headers, body }
    }

    /// Returns the line for the guest. The number is the user agent: the audit log has that, and nothing is
    /// judged by it.
    fn line(&self, number: usize) -> String {
        let mut headers = self.headers.clone();
        let agent = agent(number);
        headers.push(("user-agent", &agent));
        json!([self.method, self.url, headers, self.body]).to_string()
    }

    /// Returns the judge's reading, if it lets the request through.
    fn judged(&self, policy: &Policy) -> Option<Attempt> {
        let uri: PathAndQuery = self.url.parse().ok()?;
        let method = Method::from_bytes(self.method.as_bytes()).ok()?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
        let attempt = Attempt::read(Target::Context(context()), method, Some(&uri), &headers).ok()?;
        policy.decide(&attempt).ok()?;
        Some(attempt)
    }

    fn shown(&self) -> String {
        format!("{} {} {:?} {:?}", self.method, self.url, self.headers, self.body)
    }
}

fn agent(number: usize) -> String {
    format!("audited-{number}")
}

/// Returns a kubeconfig of [`SENDER`], who may read most things, and change most in [`NAMESPACE`].
fn kubeconfig(real: &Real) -> String {
    let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let subjects = json!([{"kind": "ServiceAccount", "name": "sender", "namespace": "audited-sender"}]);
    let (group, version) = ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1");
    let role = |name: &str| json!({"apiGroup": group, "kind": "ClusterRole", "name": name});
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        namespace(NAMESPACE),
        namespace("audited-sender"),
        {"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "sender", "namespace": "audited-sender"}},
        {"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": "audited"},
            "roleRef": role("view"), "subjects": subjects},
        {"apiVersion": version, "kind": "RoleBinding", "metadata": {"name": "audited", "namespace": NAMESPACE},
            "roleRef": role("edit"), "subjects": subjects},
    ]});
    real.apply(&objects.to_string());
    let token = real.feed(&["create", "token", "sender", "--namespace", "audited-sender"], "");
    let config = real.feed(&["config", "view", "--raw", "--minify", "--flatten", "-o", "json"], "");
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config["users"][0]["user"] = json!({"token": token.trim()});
    config.to_string()
}

/// Sends them all by one guest, and returns the result of each: `status N` or `error WHY`.
fn send(kwasm: &Kwasm, requests: &[Request]) -> Vec<String> {
    let mut command = kwasm.guest("sends-many", &[]);
    command.stdin(Stdio::piped());
    let mut guest = Running::of(command);
    let mut stdin = guest.stdin();
    thread::scope(|scope| {
        scope.spawn(move || {
            for (number, request) in requests.iter().enumerate() {
                writeln!(stdin, "{}", request.line(number)).unwrap();
            }
        });
        let answers = requests.iter().map(|_| guest.line()).collect();
        drop(guest.end());
        answers
    })
}

/// Returns the events of the audit log from `start` on, by user agent.
fn events(real: &Real, start: u64) -> BTreeMap<String, Vec<Value>> {
    let mut log = File::open(real.audit_log()).unwrap();
    log.seek(SeekFrom::Start(start)).unwrap();
    let mut text = String::new();
    log.read_to_string(&mut text).unwrap();
    let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    // The last line may be unfinished.
    for event in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let agent = event["userAgent"].as_str().unwrap_or_default().to_owned();
        if agent.starts_with("audited-") {
            events.entry(agent).or_default().push(event);
        }
    }
    events
}

fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// Returns the API server's reading of a request.
fn audited(event: &Value) -> Value {
    let reference = &event["objectRef"];
    let of = |key: &str| reference[key].as_str().unwrap_or_default();
    // Go writes the path again, with other letters encoded.
    let uri = event["requestURI"].as_str().unwrap();
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    // A request whose time limit cannot be read is rejected before it is asked who it is from.
    let early = event["responseStatus"]["code"] == 400 && query.contains("timeout=x");
    let user = if early { SENDER } else { event["user"]["username"].as_str().unwrap_or_default() };
    json!({
        "isResourceRequest": reference.is_object(), "verb": event["verb"], "apiGroup": of("apiGroup"),
        "apiVersion": of("apiVersion"), "namespace": of("namespace"), "resource": of("resource"),
        "subresource": of("subresource"), "name": of("name"), "path": decoded(path), "query": query,
        "user": user, "impersonated": event["impersonatedUser"].is_object(),
    })
}

/// Returns the same facts according to the judge.
fn expected(attempt: &Attempt) -> Value {
    let info = attempt.info();
    let of_resource = |text: &str| if info.is_resource_request { text.to_owned() } else { String::new() };
    json!({
        "isResourceRequest": info.is_resource_request, "verb": info.verb, "apiGroup": of_resource(&info.api_group),
        "apiVersion": of_resource(&info.api_version), "namespace": info.namespace, "resource": info.resource,
        "subresource": info.subresource, "name": info.name, "path": info.path,
        "query": attempt.query().unwrap_or_default(),
        "user": SENDER, "impersonated": false,
    })
}

#[test]
fn what_is_let_through_reaches_the_server_as_what_it_was_judged_to_be() {
    let Some(real) = real("what_is_let_through_reaches_the_server_as_what_it_was_judged_to_be") else {
        return;
    };
    let mut random = rng();
    println!("seed {}", random.get_seed());
    let requests: Vec<Request> = (0..REQUESTS).map(|_| Request::any(&mut random)).collect();
    let kwasm = Kwasm::new();
    let file = kwasm.home().join("sender.kubeconfig");
    std::fs::write(&file, kubeconfig(real)).unwrap();
    let start = std::fs::metadata(real.audit_log()).unwrap().len();
    let answers = send(&kwasm.kubeconfig(file), &requests);

    let policy = Policy::builtin("cluster").unwrap().unwrap();
    // What wasi:http itself refuses, of any part of a request, never gets to the judge. The body of a GET breaks off where
    // nothing says its length; its head is on the way then.
    let sent = |answer: &String| !answer.starts_with("error ") || answer.starts_with("error body");
    let judged: Vec<Option<Attempt>> = (requests.iter().zip(&answers))
        .map(|(request, answer)| sent(answer).then(|| request.judged(&policy)).flatten())
        .collect();
    let through = judged.iter().flatten().count();
    let mut events_by_agent = events(real, start);
    for _ in 0..100 {
        if events_by_agent.len() >= through {
            break;
        }
        thread::sleep(Duration::from_millis(100));
        events_by_agent = events(real, start);
    }

    let mut verbs: BTreeMap<String, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for (number, (request, attempt)) in requests.iter().zip(&judged).enumerate() {
        let found: Vec<Value> =
            events_by_agent.get(&agent(number)).into_iter().flatten().map(audited).collect();
        let agreed = match attempt {
            Some(attempt) => !found.is_empty() && found.iter().all(|found| *found == expected(attempt)),
            None => found.is_empty(),
        };
        if !agreed {
            let expected = attempt.as_ref().map(expected);
            differences.push(format!(
                "{}\n  {}\n  judged {expected:?}\n  audited {found:?}",
                request.shown(),
                answers[number]
            ));
        }
        if let Some(attempt) = attempt {
            let kind = if attempt.info().is_resource_request { "" } else { " of a URL" };
            *verbs.entry(format!("{}{kind}", attempt.info().verb)).or_default() += 1;
        }
    }
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for answer in &answers {
        *outcomes.entry(answer).or_default() += 1;
    }
    println!("{outcomes:#?}");
    let refused = answers.iter().filter(|answer| !sent(answer)).count();
    println!("{REQUESTS} requests, {through} let through, {refused} refused by wasi:http itself");
    println!("{verbs:#?}");
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
    assert!(through * 100 > REQUESTS * 60, "{through}");
}
