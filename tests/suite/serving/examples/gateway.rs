//! `gateway`, in front of a service that the real API server reaches.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Instant;

use kwasm_cluster::User;
use serde_json::json;

use super::super::{Answer, Server, read};
use super::{file_of, namespace};
use crate::support::{Kwasm, Real, real, skip};

/// Returns an address of this machine that is not loopback, which the API server's proxy refuses.
fn address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the address is that of the route.
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|address| !address.is_loopback())
}

/// Answers each request with what it was.
fn backend(address: IpAddr) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || while echo(&mut BufReader::new(&client), &client).is_some() {});
        }
    });
    port
}

fn echo(reader: &mut BufReader<&TcpStream>, mut client: &TcpStream) -> Option<()> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let said = [head.as_bytes(), &body].concat();
    write!(client, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", said.len()).ok()?;
    client.write_all(&said).ok()
}

/// Makes the service `web:80` of a namespace, whose only pod is this address: the API server's proxy reaches nothing but pods.
fn serve(real: &Real, name: &str, address: IpAddr, port: u16) {
    let metadata = |name: &str| json!({"name": name, "namespace": "fronted"});
    let container = json!({"name": "a", "image": "a.example/b:1"});
    let subset = json!({
        "addresses": [{"ip": address, "targetRef": {"kind": "Pod", "namespace": "fronted", "name": name}}],
        "ports": [{"port": port, "protocol": "TCP"}],
    });
    let items = json!([
        namespace("fronted", &json!({})),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("client")},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("stranger")},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata(name), "spec": {"ports": [{"port": 80}]}},
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata(name), "subsets": [subset]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata("client"),
            "rules": [{"apiGroups": [""], "resources": ["services/proxy"], "resourceNames": ["web:80", "web:81"],
                "verbs": ["get", "create"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata("client"),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "client"},
            "subjects": [{"kind": "ServiceAccount", "name": "client", "namespace": "fronted"}]},
    ]);
    real.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata(name),
        "spec": {"schedulerName": "nobody", "serviceAccountName": "client", "containers": [container]}});
    real.apply(&pod.to_string());
    let status = json!({"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}});
    let patch = ["patch", "pod", name, "-n", "fronted", "--subresource", "status", "-p", &status.to_string()];
    assert!(real.kubectl().args(patch).status().unwrap().success());
}

fn token(real: &Real, account: &str, options: &[&str]) -> String {
    let mut create = real.kubectl();
    create.args(["create", "token", account, "-n", "fronted"]).args(options);
    String::from_utf8(create.output().unwrap().stdout).unwrap().trim().to_owned()
}

fn send(server: &Server, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
    let mut stream = server.connect();
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: web.example\r\n{authorization}x-gateway-user: admin\r\n\
         x-remote-user: admin\r\nx_gateway_user: admin\r\nX_Remote-User: admin\r\ncookie: a=b\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    read(&mut BufReader::new(stream))
}

#[test]
fn a_user_whom_rbac_lets_reach_a_service_reaches_it_and_nobody_else() {
    let Some(real) = real("serving::examples::gateway") else { return };
    let Some(address) = address() else {
        return skip("serving::examples::gateway", "this machine has no address but loopback");
    };
    serve(real, "web", address, backend(address));
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    // The example's policy names another namespace.
    let granted = std::fs::read_to_string(file_of("gateway", "policy.yaml")).unwrap();
    let policy = kwasm.home().join("gateway.yaml");
    std::fs::write(&policy, granted.replace("[shop]", "[fronted]")).unwrap();
    let policy = policy.to_str().unwrap();
    let options = ["--policy", policy, "--", "--to", "fronted/web:80"];
    let server = Server::of(&kwasm, "gateway", &options);
    let client = token(real, "client", &[]);
    let client = Some(client.as_str());

    let answer = send(&server, "POST", "/a/b?c=d", client, "a body");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = answer.text();
    assert!(seen.starts_with("post /a/b?c=d http/1.1\r\n") && seen.ends_with("\r\n\r\na body"), "{seen}");
    assert!(seen.contains("x-gateway-user: system:serviceaccount:fronted:client\r\n"), "{seen}");
    for kept in ["authorization", "cookie", "x-remote-user", "x_gateway_user", "x_remote", "admin"] {
        assert!(!seen.contains(kept), "{seen}");
    }
    assert_eq!(answer.header("audit-id"), None);

    let stranger = token(real, "stranger", &[]);
    let others = token(real, "client", &["--audience", "somebody-else"]);
    for (method, path, token, status) in [
        ("GET", "/", None, 401),
        ("GET", "/", Some("nobody's"), 401),
        ("GET", "/", Some(&*others), 401),
        ("GET", "/", Some(&*stranger), 403),
        // Their role lets them get and create.
        ("DELETE", "/", client, 403),
        ("GET", "/a/../../../pods", client, 400),
        ("GET", "/a%2f..%2fb", client, 400),
        ("BREW", "/", client, 405),
        ("GET", "/", client, 200),
    ] {
        let answer = send(&server, method, path, token, "");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }

    // A service that the policy does not name is out of reach, whatever the gateway is told.
    let other = ["--policy", policy, "--", "--to", "fronted/web:81"];
    let elsewhere = Server::of(&kwasm, "gateway", &other);
    let refused = send(&elsewhere, "GET", "/", client, "");
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("refused by kwasm"), "{}", refused.text());
    assert_eq!(
        send(&Server::of(&kwasm, "gateway", &["--policy", policy]), "GET", "/", client, "").status,
        500
    );
    let none = Server::of(&kwasm, "gateway", &["--policy", "none", "--", "--to", "fronted/web:80"]);
    assert_eq!(send(&none, "GET", "/", client, "").status, 503);
}

#[test]
fn a_user_who_asks_too_often_is_told_to_come_again() {
    let Some(real) = real("serving::examples::gateway") else { return };
    let Some(address) = address() else {
        return skip("serving::examples::gateway", "this machine has no address but loopback");
    };
    serve(real, "web", address, backend(address));
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let options = ["--policy", "request", "--", "--to", "fronted/web:80", "--rate", "1", "--burst", "3"];
    let server = Server::of(&kwasm, "gateway", &options);
    let client = token(real, "client", &[]);
    let statuses: Vec<u16> = (0..30)
        .map(|_| {
            // One after another, so that one instance answers all of them.
            server.settled();
            send(&server, "GET", "/", Some(&client), "").status
        })
        .collect();
    assert_eq!(statuses[..3], [200; 3], "{statuses:?}");
    // A second gives one more each; thirty requests take less than thirty seconds.
    assert!(
        statuses.contains(&429) && statuses.iter().all(|status| [200, 429].contains(status)),
        "{statuses:?}"
    );
    assert!((server.metric("kwasm_instantiation_seconds_count") - 1.0).abs() < 0.1);
}

#[test]
fn who_is_refused_is_bounded_too_and_a_flood_of_unknown_tokens_locks_out_no_user_who_is_known() {
    let Some(real) = real("serving::examples::gateway") else { return };
    let Some(address) = address() else {
        return skip("serving::examples::gateway", "this machine has no address but loopback");
    };
    serve(real, "web", address, backend(address));
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let bounds = ["--rate", "1", "--burst", "12", "--new-tokens", "1"];
    let options = [&["--policy", "request", "--", "--to", "fronted/web:80"][..], &bounds].concat();
    let server = Server::of(&kwasm, "gateway", &options);
    let ask = |token: &str| {
        // One after another, so that one instance answers all of them.
        server.settled();
        send(&server, "GET", "/", Some(token), "")
    };
    let [client, stranger] = ["client", "stranger"].map(|account| token(real, account, &[]));
    assert_eq!(ask(&client).status, 200);
    // Two may come at once, of which this is the second; then one a second.
    assert_eq!(ask(&stranger).status, 403);
    let began = Instant::now();
    let flood: Vec<Answer> = (0..60).map(|number| ask(&format!("nobody's-{number}"))).collect();
    let refused = flood.iter().filter(|answer| answer.status == 401).count();
    assert!(refused as u64 <= began.elapsed().as_secs() + 2, "{refused} were looked up");
    assert!(flood.iter().all(|answer| [401, 429].contains(&answer.status)));
    let later = flood.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(later.header("retry-after"), Some("1"));
    assert_eq!(ask(&client).status, 200, "who is known passes meanwhile");
    // A user who may not reach the service has a share as who may.
    let strangers: Vec<u16> = (0..40).map(|_| ask(&stranger).status).collect();
    assert_eq!(strangers[0], 403);
    assert!(strangers.contains(&429), "{strangers:?}");
    assert!(strangers.iter().all(|status| [403, 429].contains(status)), "{strangers:?}");
    assert!((server.metric("kwasm_instantiation_seconds_count") - 1.0).abs() < 0.1);
}

#[test]
fn a_token_has_to_be_for_the_gateway_if_it_says_so() {
    let Some(real) = real("serving::examples::gateway") else { return };
    let Some(address) = address() else {
        return skip("serving::examples::gateway", "this machine has no address but loopback");
    };
    serve(real, "web", address, backend(address));
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let options = ["--policy", "request", "--", "--to", "fronted/web:80", "--audience", "gateway"];
    let server = Server::of(&kwasm, "gateway", &options);
    for (options, status) in [(&["--audience", "gateway"][..], 200), (&[], 401)] {
        let token = token(real, "client", options);
        assert_eq!(send(&server, "GET", "/", Some(&token), "").status, status, "{options:?}");
    }
}
