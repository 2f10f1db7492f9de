//! Tests of a server below a path of its own, as in Rancher: it works like any other, and no path of a guest
//! leads to its neighbours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use kwasm_apiserver::{ApiServer, User};
use serde_json::json;

use crate::support::{Kwasm, Run, kubeconfig};

const BASE: &str = "/k8s/clusters/c-1";

fn server() -> ApiServer {
    ApiServer::builder().base_path(BASE).start().unwrap()
}

fn kwasm(server: &ApiServer) -> Kwasm {
    Kwasm::new().kubeconfig(kubeconfig(server, User::Certificate))
}

#[test]
fn a_watch_works_below_a_path_through_both_doors() {
    let server = server();
    let kwasm = kwasm(&server);
    let list = "/api/v1/namespaces/shop/configmaps";
    server.put(&format!("{list}/first"), json!({})).unwrap();
    for (door, name) in [(&[][..], "http"), (&["--sockets"], "sockets")] {
        let watch = format!("{list}?watch=1&resourceVersion={}", server.version());
        let mut running = kwasm.start("follows", &[&[watch.as_str()], door].concat());
        server.put(&format!("{list}/{name}"), json!({})).unwrap();
        running.line_with(name);
    }
    assert!(server.requests().iter().all(|request| request.target.starts_with(&format!("{BASE}/api/v1/"))));
}

/// Returns paths that lead out of the server's own. The neighbour answers every request.
fn spellings() -> Vec<String> {
    let mut spellings: Vec<String> = Vec::new();
    for up in ["..", "%2e%2e", ".%2E", "%2e.", "..;", "%252e%252e", ".%00.", "..%09", "．．", "%c0%ae%c0%ae"]
    {
        for slash in ["/", "//", "/./", "%2f", "%2F", "\\", "%5c", "%252f", "/%2f"] {
            let climb = [up; 3].join(slash);
            spellings.push(format!("/{climb}{slash}v3/tokens"));
            spellings.push(format!("/api{slash}{up}{slash}{climb}{slash}v3/tokens"));
        }
    }
    let others = [
        "/",
        "",
        "//",
        "/.",
        "/..",
        "/..?",
        "/..#",
        "/%2e%2e",
        "//v3/tokens",
        "/;/../../v3/tokens",
        "?/../../../v3",
    ];
    spellings.extend(others.map(str::to_owned));
    spellings
}

/// Returns the same paths for each name of the server, and those beside its path.
fn urls(server: &ApiServer) -> Vec<String> {
    let origin = server.url().strip_suffix(BASE).unwrap();
    let names = ["http://192.0.2.1", "https://kubernetes.default.svc", server.url()];
    let paths = spellings();
    let mut urls: Vec<String> =
        names.iter().flat_map(|name| paths.iter().map(move |path| format!("{name}{path}"))).collect();
    for beside in [
        "",
        "/",
        "/v3/tokens",
        "/k8s/clusters",
        "/k8s/clusters/",
        "/k8s/clusters/c-10/version",
        "/K8S/clusters/c-1/version",
    ] {
        urls.push(format!("{origin}{beside}"));
        urls.push(format!("{origin}/{beside}"));
    }
    urls.extend([
        format!("{origin}{BASE}version"),
        format!("{origin}/k8s/clusters/c-2/../c-1/../c-2/version"),
    ]);
    urls
}

/// Returns whether a front proxy that decodes and resolves a path forwards it to the intended server. A proxy
/// that decodes twice confuses `%25` with what it stands for, and cannot be served.
fn stays_below(target: &str) -> bool {
    let mut path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
    for _ in 0..2 {
        let mut segments: Vec<&str> = Vec::new();
        for segment in path.split(['/', '\\']) {
            match segment {
                ".." => drop(segments.pop()),
                "" | "." => {}
                _ => segments.push(segment),
            }
        }
        let resolved = format!("/{}", segments.join("/"));
        if resolved != BASE && !resolved.starts_with(&format!("{BASE}/")) {
            return false;
        }
        path = decoded(&path);
    }
    true
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let code =
            others.get(..2).and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        if let (b'%', Some(code)) = (first, code) {
            bytes.push(code);
            rest = &others[2..];
        } else {
            bytes.push(first);
            rest = others;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Checks that all received requests are for this server, at least this many.
#[track_caller]
fn only_below(server: &ApiServer, least: usize) {
    let requests = server.requests();
    assert!(requests.len() >= least, "{} requests", requests.len());
    for request in &requests {
        assert!(stays_below(&request.target), "{request:#?}");
    }
}

fn fed(mut command: Command, input: &str) -> Run {
    let mut run =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = run.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let run = Run::from(run.wait_with_output().unwrap());
    // A guest that ends early has read enough.
    drop(writer.join().unwrap());
    run
}

#[test]
fn no_request_through_the_http_door_leaves_the_path() {
    let server = server();
    let mut lines = vec![json!(["GET", "http://192.0.2.1/version", [], null]).to_string()];
    for url in urls(&server) {
        for method in ["GET", "POST", "OPTIONS"] {
            lines.push(json!([method, url, [], null]).to_string());
        }
    }
    let run = fed(kwasm(&server).guest("sends-many", &[]), &(lines.join("\n") + "\n")).success();
    let answers: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(answers.len(), lines.len(), "{}", run.shown());
    assert_eq!(answers[0], "status 200", "a request that stays is answered");
    only_below(&server, 1);
}

#[test]
fn no_request_through_a_socket_leaves_the_path() {
    let server = server();
    let kwasm = kwasm(&server);
    let host = server.url().strip_prefix("https://").unwrap().split('/').next().unwrap().to_owned();
    let mut targets: Vec<(String, String)> = vec![("/version".to_owned(), "192.0.2.1".to_owned())];
    for path in spellings() {
        targets.push((path.clone(), "192.0.2.1".to_owned()));
        // In absolute form, and with another host than that of the socket.
        targets.push((format!("{}{path}", server.url()), host.clone()));
    }
    // A connection ends after an invalid request, so each has its own.
    let requests = targets
        .iter()
        .map(|(target, host)| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
    for (number, request) in requests.enumerate() {
        let run = fed(kwasm.guest("dials-by-hand", &["192.0.2.1:80", "--shutdown"]), &request);
        assert!(number > 0 || run.stdout.starts_with("HTTP/1.1 200"), "{}", run.shown());
        assert!(!run.stdout.contains("\"outside\""), "{request}: {}", run.shown());
    }
    only_below(&server, 1);
}

#[test]
fn a_path_that_leaves_is_known_from_one_that_stays() {
    for stays in
        [BASE.to_owned(), format!("{BASE}/api/v1"), format!("{BASE}/%252e%252e"), format!("{BASE}/...")]
    {
        assert!(stays_below(&stays), "{stays}");
    }
    for leaves in ["/..", "/%2e%2e/x", "/a\\..\\..\\", "/a%2f..%2f..", "0/x"] {
        assert!(!stays_below(&format!("{BASE}{leaves}")), "{leaves}");
    }
}
