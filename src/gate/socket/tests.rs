use super::*;
use crate::gate::tests::{builtin, gate};

/// Returns the answer to a guest that writes this and then stops.
async fn exchange(gate: &Gate, request: &str) -> String {
    let socket = gate.connect("192.0.2.1:80".parse().unwrap()).unwrap();
    assert_eq!(socket.write(request.as_bytes()), request.len());
    socket.finish();
    let mut answer = Vec::new();
    loop {
        socket.readable().await;
        match socket.read(usize::MAX) {
            Some(bytes) => answer.extend_from_slice(&bytes),
            None => return String::from_utf8(answer).unwrap(),
        }
    }
}

fn nowhere() -> Gate {
    gate("https://127.0.0.1:1", builtin("none"))
}

#[tokio::test]
async fn a_guest_connects_to_a_context_and_to_nothing_else() {
    let gate = nowhere();
    assert!(gate.connect("192.0.2.1:80".parse().unwrap()).is_ok());
    for elsewhere in [
        "192.0.2.1:443",
        "192.0.2.2:80",
        "127.0.0.1:80",
        "127.0.0.1:1",
        "[::ffff:192.0.2.1]:80",
        "[::1]:80",
        "0.0.0.0:80",
    ] {
        assert!(gate.connect(elsewhere.parse().unwrap()).is_err(), "{elsewhere}");
    }
    assert!(gate.report()[0].text.starts_with("refused: connect to 192.0.2.1:443: "));
}

#[tokio::test]
async fn the_clusters_names_are_known_and_nobody_is_asked_for_others() {
    let gate = nowhere();
    for name in ["kubernetes", "kubernetes.default", "Kubernetes.Default.svc", "192.0.2.1"] {
        assert_eq!(gate.look_up(name).unwrap(), SELECTED, "{name}");
    }
    for name in ["localhost", "kubernetes.default.svc.evil", "example.com", ""] {
        assert!(gate.look_up(name).is_err(), "{name}");
    }
}

#[tokio::test]
async fn each_request_of_a_connection_is_judged_for_itself() {
    let gate = nowhere();
    let two = "GET /api/v1/pods HTTP/1.1\r\nhost: x\r\n\r\nGET /api/v1/secrets HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = exchange(&gate, two).await;
    assert_eq!(answer.matches("HTTP/1.1 403 Forbidden").count(), 2, "{answer}");
    assert_eq!(gate.report().len(), 2);
}

#[tokio::test]
async fn what_is_asked_is_what_the_request_says_and_not_its_host() {
    let gate = nowhere();
    for (request, status) in [
        ("GET http://example.com/ HTTP/1.1\r\nhost: 192.0.2.1\r\n\r\n", "403 Forbidden"),
        ("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n", "403 Forbidden"),
        ("OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", "400 Bad Request"),
        ("GET /a HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", "400 Bad Request"),
        ("GET /a HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "400 Bad Request"),
        ("GET /a HTTP/1.1\r\ntransfer-encoding: chunked, identity\r\n\r\n", "400 Bad Request"),
    ] {
        let answer = exchange(&gate, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
    }
}

/// hyper uses the transfer encoding, ignores the length, and closes the connection after the request (RFC
/// 9112 §6.3).
#[tokio::test]
async fn behind_a_request_of_two_lengths_there_is_no_other() {
    let gate = nowhere();
    for lengths in
        ["content-length: 6\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 6"]
    {
        let hidden = "0\r\n\r\nGET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
        let answer =
            exchange(&gate, &format!("POST /a HTTP/1.1\r\nhost: x\r\n{lengths}\r\n\r\n{hidden}")).await;
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    assert!(gate.report().iter().all(|line| !line.text.contains("hidden")));
}

#[tokio::test]
async fn a_request_that_fails_has_an_answer_which_names_no_address() {
    let gate = gate("http://127.0.0.1:1", builtin("cluster"));
    let answer = exchange(&gate, "GET /version HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway"), "{answer}");
    assert!(
        answer.contains("the server refused the connection") && !answer.contains("127.0.0.1"),
        "{answer}"
    );
}

#[tokio::test]
async fn what_is_no_http_ends_the_connection_and_is_told_to_the_user() {
    let gate = nowhere();
    // TLS, and HTTP/2.
    for first in ["\x16\x03\x01\x02\x00\x01", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let answer = exchange(&gate, first).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 Bad Request"), "{answer}");
    }
    let lines = gate.report();
    assert!(lines[0].text.contains("is not an HTTP/1.1 request"), "{}", lines[0].text);
    assert!(lines[0].hint.as_ref().unwrap().contains("http://, not https://"));
}

#[tokio::test]
async fn a_socket_that_is_let_go_takes_its_connection_with_it() {
    let gate = nowhere();
    let socket = gate.connect("192.0.2.1:80".parse().unwrap()).unwrap();
    socket.write(b"GET /api HTTP/1.1\r\n");
    tokio::task::yield_now().await;
    drop(socket);
    // The connection's task held one.
    while Arc::strong_count(&gate.0) > 1 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_number_of_sockets_has_an_end() {
    let gate = nowhere();
    let mut sockets: Vec<Socket> = (0..64).map(|_| gate.socket().unwrap()).collect();
    assert!(gate.socket().is_err());
    assert_eq!(
        gate.report()[0].text,
        "the plugin ran into a limit: it needed more than 64 sockets at a time"
    );
    sockets.pop();
    assert!(gate.socket().is_ok());
}
