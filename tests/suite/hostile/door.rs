//! HTTP written by hand to a socket: what is on it is requests, each of which is judged, or it is nothing.

use std::time::Duration;

use kwasm_apiserver::{ApiServer, User, demo};
use kwasm_cluster::User as RealUser;
use serde_json::Value;

use super::Attempt;
use crate::support::{Kwasm, Real, real};

const SECRETS: &str = "/api/v1/namespaces/shop/secrets";

/// Returns an API server whose contexts are in the namespace `shop`.
fn shop() -> ApiServer {
    let server = ApiServer::builder().namespace(demo::NAMESPACE).start().unwrap();
    demo::seed(&server).unwrap();
    server
}

#[test]
fn a_second_request_behind_an_allowed_one() {
    let server = shop();
    Attempt::of("pipelines")
        .asking(&server, User::Certificate)
        .with(&[SECRETS])
        .policy("read-only")
        .fails("first status 200, second ")
        .succeeds_without("except", "second status 200")
        .twin(&["/api/v1/namespaces/shop/pods"]);
}

/// No defence can be disabled here: hyper ensures that a message has one end, and the forwarded request is
/// written anew.
#[test]
fn a_second_request_inside_of_another_ones_body() {
    let server = shop();
    let arguments = ["--path", "/api/v1/namespaces/shop/configmaps", "--secret", SECRETS];
    Attempt::of("smuggles-through-a-socket")
        .asking(&server, User::Certificate)
        .with(&arguments)
        .fails("cl-te: ")
        .twin_of("pipelines", &[SECRETS]);
    let asked = server.requests();
    // The twin's. Of the bodies that were sent on each is one whole body, and none of them was a request.
    assert_eq!(asked.iter().filter(|request| request.path() == SECRETS).count(), 1, "{asked:#?}");
}

#[test]
fn an_upgrade_where_nobody_knows_what_it_leads_to() {
    for (path, protocol) in [
        ("/api/v1/namespaces/shop/services/web/proxy/", "websocket"),
        ("/api/v1/namespaces/shop/pods/web-0/proxy/", "SPDY/3.1"),
        ("/api/v1/namespaces/shop/pods?watch=1", "websocket"),
        ("/version", "h2c"),
    ] {
        let server = shop();
        Attempt::of("upgrades-elsewhere")
            .at(&server, User::Certificate)
            .with(&[path, "--protocol", protocol])
            .fails("only exec, attach and port-forward of pods have")
            .twin_of("pipelines", &["/version"]);
        assert!(server.requests().iter().all(|request| request.header("upgrade").is_none()));
        let run = Kwasm::new()
            .kubeconfig(server.kubeconfig(User::Certificate))
            .without("upgrades")
            .run("upgrades-elsewhere", &[path, "--protocol", "websocket"]);
        let reached = server.requests().iter().any(|request| request.header("upgrade").is_some());
        assert!(reached, "without it the headers arrive: {}", run.shown());
    }
}

#[test]
fn a_shell_by_the_right_to_read() {
    let server = shop();
    let spec = "{kubernetes: {rules: [{apiGroups: [''], resources: [pods/exec], verbs: [get]}, \
                {nonResourceURLs: [/version], verbs: [get]}]}}";
    let path = "/api/v1/namespaces/shop/pods/web-0/exec?command=id&stdout=true";
    let attempt = Attempt::of("upgrades-elsewhere").at(&server, User::Certificate).spec(spec).with(&[path]);
    attempt.fails("get pods/exec \"web-0\" in namespace shop").twin_of("pipelines", &["/version"]);
    let kwasm = Kwasm::new().kubeconfig(server.kubeconfig(User::Certificate)).spec(spec).without("shells");
    let run = kwasm.run("upgrades-elsewhere", &[path]);
    let arrived = server.requests().iter().any(|request| request.path().ends_with("/exec"));
    assert!(arrived, "without it the request arrives: {}", run.shown());
}

#[test]
fn another_host_on_a_connection_to_the_cluster() {
    let server = shop();
    let other = ApiServer::builder().plain_http().start().unwrap();
    let marked = serde_json::json!({"welcome": "stranger"});
    other.fault(kwasm_apiserver::Fault::status(200, Some(marked)).standing());
    let host = format!("127.0.0.1:{}", other.port());
    Attempt::of("names-another-host")
        .asking(&server, User::Certificate)
        .unheard_by(&other)
        .with(&["", &host, "--path", "/version", "--mark", "stranger"])
        .fails("absolute: ")
        .succeeds_without(&format!("destination={host}"), "absolute: status 200")
        .twin(&["header", &host, "--path", "/version"]);
}

#[test]
fn a_thousand_sockets() {
    let server = shop();
    Attempt::of("hoards-sockets")
        .asking(&server, User::Certificate)
        .fails("64 sockets, then ")
        .succeeds_without("socket-limit", "1000 sockets")
        .twin(&["64"]);
}

#[test]
fn the_user_is_told_how_to_allow_more_sockets() {
    let server = shop();
    let kwasm = Kwasm::new().kubeconfig(server.kubeconfig(User::Certificate));
    let run = kwasm.run("hoards-sockets", &[]).fails(1);
    assert!(run.stderr.contains("it needed more than 64 sockets at a time"), "{}", run.shown());
    assert!(run.stderr.contains("`limits: {sockets: 128}`"), "{}", run.shown());
    let more = Kwasm::new().kubeconfig(server.kubeconfig(User::Certificate)).spec("{limits: {sockets: 100}}");
    more.run("hoards-sockets", &["100"]).success();
}

/// The guest delays only itself, and ends with the plugin's time.
#[test]
fn a_body_that_comes_a_byte_at_a_time() {
    let server = shop();
    let path = "/api/v1/namespaces/shop/configmaps";
    let spec = |timeout: &str| {
        let rule = "{apiGroups: [''], resources: [configmaps], verbs: [create]}";
        format!("{{kubernetes: {{rules: [{rule}]}}, limits: {{timeout: {timeout}}}}}")
    };
    Attempt::of("dribbles")
        .asking(&server, User::Certificate)
        .with(&["60", path])
        .spec(&spec("2s"))
        .ends("it ran for longer than 2s")
        .spec(&spec("none"))
        .twin(&["1", path]);
    assert!(server.requests().iter().filter(|request| request.status == Some(201)).count() == 1);
}

/// An answer that is not read is not fetched further.
#[test]
fn an_answer_that_nobody_reads() {
    const MIB: u64 = 1 << 20;
    let server = shop();
    let kwasm = Kwasm::new().kubeconfig(server.kubeconfig(User::Certificate));
    let mut running = kwasm.start("reads-nothing", &["/source?bytes=1000000000", "--for", "3"]);
    let peak = running.peak_until_end();
    running.end().success();
    let sent = server.requests()[0].sent;
    assert!(sent > 0 && sent < 64 * MIB, "{sent} bytes");
    assert!(peak < 160 * MIB, "{} MiB", peak / MIB);
    // Its twin reads, and gets it all.
    let request = "GET /source?bytes=1000000000 HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n";
    let run = kwasm
        .run("dials-by-hand", &["192.0.2.1:80", "--request", request, "--count", "0", "--sum"])
        .success();
    let read: u64 =
        run.stdout.split(|c: char| !c.is_ascii_digit()).find_map(|word| word.parse().ok()).unwrap();
    assert!(read > 1_000_000_000, "{}", run.shown());
}

/// Returns the names of the config maps of a namespace that begin like this.
fn stored(real: &Real, namespace: &str, prefix: &str) -> Vec<String> {
    let list = real.kubectl().args(["get", "configmaps", "-n", namespace, "-o", "json"]).output().unwrap();
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let names =
        list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap());
    names.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect()
}

/// No defence can be disabled here: hyper aborts such a body too, and either would be enough.
#[test]
fn half_a_body_on_a_socket_is_none() {
    let Some(real) = real("half_a_body_on_a_socket_is_none") else { return };
    real.feed(&["create", "namespace", "halved"], "");
    let run = |end: &str, chunked: bool, name: &str| {
        let mut arguments = vec![end, "--namespace", "halved", "--name", name];
        arguments.extend(chunked.then_some("--chunked"));
        Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice)).run("halves-a-request", &arguments)
    };
    for end in ["drop", "shutdown", "trap", "exit"] {
        for chunked in [false, true] {
            let name = format!("half-{end}-{chunked}");
            let run = run(end, chunked, &name);
            assert!(run.stdout.contains("done: sent ") || end == "shutdown", "{}", run.shown());
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(stored(real, "halved", "half-"), Vec::<String>::new());
    // It is not that nothing is ever stored there: a whole one is.
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice));
    kwasm.run("dribbles", &["1", "/api/v1/namespaces/halved/configmaps"]).success();
    assert_eq!(stored(real, "halved", "dribbled"), ["dribbled"]);
}

#[test]
fn a_second_request_after_an_upgrade() {
    let Some(real) = real("a_second_request_after_an_upgrade") else { return };
    real.feed(&["create", "namespace", "twice"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "twice"], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", "twice", "--timeout=60s"], "");
    let exec = "/api/v1/namespaces/twice/pods/web/exec?command=echo&command=x&stdin=true&stdout=true";
    let arguments = [exec, "--secret", "/api/v1/namespaces/twice/secrets"];
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice));
    let run = kwasm.run("asks-twice-after-upgrade", &arguments).fails(1);
    assert!(run.stderr.contains("upgraded, then "), "{}", run.shown());
    // Refused, the connection goes on, and so does the judge.
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice)).policy("read-only");
    let refused = [&arguments[..], &["--refused"]].concat();
    let run = kwasm.run("asks-twice-after-upgrade", &refused).fails(1);
    assert!(run.stderr.contains("first status 403: refused by kwasm: get pods/exec"), "{}", run.shown());
    assert!(run.stderr.contains("second status 403: refused by kwasm: list secrets"), "{}", run.shown());
    let audit = std::fs::read_to_string(real.audit_log()).unwrap();
    assert!(
        audit.contains("/namespaces/twice/pods/web/exec") && !audit.contains("/namespaces/twice/secrets")
    );
}

/// As a browser would that can set no other header.
#[test]
fn a_token_among_the_protocols_of_a_websocket() {
    let server = shop();
    let kwasm = |kwasm: Kwasm| kwasm.kubeconfig(server.kubeconfig(User::Certificate));
    let request = |protocol: &str| {
        format!(
            "GET /version HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nSec-WebSocket-Protocol: v5.channel.k8s.io, {protocol}\\r\\n\\r\\n"
        )
    };
    let token = request("base64url.bearer.authorization.k8s.io.c2VjcmV0");
    let run = kwasm(Kwasm::new()).run("dials-by-hand", &["192.0.2.1:80", "--request", &token]);
    assert!(run.stdout.starts_with("HTTP/1.1 403 Forbidden"), "{}", run.shown());
    assert!(run.stderr.contains("may not set `sec-websocket-protocol`"), "{}", run.shown());
    assert!(server.requests().is_empty());
    let run =
        kwasm(Kwasm::new().without("claims")).run("dials-by-hand", &["192.0.2.1:80", "--request", &token]);
    assert!(run.stdout.starts_with("HTTP/1.1 200 OK"), "{}", run.shown());
    let twin = request("v4.channel.k8s.io");
    let run = kwasm(Kwasm::new()).run("dials-by-hand", &["192.0.2.1:80", "--request", &twin]);
    assert!(run.stdout.starts_with("HTTP/1.1 200 OK") && run.stderr.is_empty(), "{}", run.shown());
}
