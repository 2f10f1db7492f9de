//! Tests that a plugin's sockets cannot be reached by anyone else on this machine and do not outlive it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use kwasm_apiserver::{Answer, User as EmbeddedUser};
use kwasm_cluster::User;

use crate::support::{Kwasm, Real, Running, kubeconfig, real, seed};

/// Waits for what has to come about.
#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the inodes of a process' own sockets.
fn inodes(process: u32) -> BTreeSet<String> {
    let links = fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
    let targets = links.filter_map(|link| fs::read_link(link.path()).ok()?.to_str().map(str::to_owned));
    let inode = |target: String| Some(target.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned());
    targets.filter_map(inode).collect()
}

/// A line of /proc/net/tcp and its like (proc(5)).
struct Entry {
    local: String,
    remote: String,
    state: String,
    inode: String,
}

fn table(process: u32, name: &str) -> Vec<Entry> {
    let text = fs::read_to_string(format!("/proc/{process}/net/{name}")).unwrap();
    let entry = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |index: usize| words[index].to_owned();
        Entry { local: word(1), remote: word(2), state: word(3), inode: word(9) }
    };
    text.lines().skip(1).map(entry).collect()
}

const ESTABLISHED: &str = "01";
const CLOSE_WAIT: &str = "08";
const LISTEN: &str = "0A";

/// Returns the sockets of a process to which others could send something.
fn open_to_others(process: u32) -> Vec<String> {
    let own = inodes(process);
    let mut found = Vec::new();
    for name in ["tcp", "tcp6", "udp", "udp6"] {
        for entry in table(process, name) {
            if own.contains(&entry.inode) && (name.starts_with("udp") || entry.state == LISTEN) {
                found.push(format!("{name} {}", entry.local));
            }
        }
    }
    // Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON.
    for line in fs::read_to_string(format!("/proc/{process}/net/unix")).unwrap().lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if own.contains(words[6]) && words[3] == "00010000" {
            found.push(format!("unix {}", words.get(7).unwrap_or(&"")));
        }
    }
    found
}

#[test]
fn a_listener_of_a_process_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("listens");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let _unix = UnixListener::bind(&path).unwrap();
    let found = open_to_others(std::process::id());
    let port = |address: std::net::SocketAddr| format!("0100007F:{:04X}", address.port());
    for listener in [
        format!("tcp {}", port(tcp.local_addr().unwrap())),
        format!("udp {}", port(udp.local_addr().unwrap())),
        format!("unix {}", path.display()),
    ] {
        assert!(found.contains(&listener), "{listener} is not among {found:?}");
    }
}

#[test]
fn no_port_is_open_while_a_plugin_has_its_sockets() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, EmbeddedUser::Certificate));
    let mut running = kwasm.start_with_input("lets-go", &["/api/v1/namespaces/shop/pods?watch=1"]);
    assert_eq!(running.line(), "open");
    assert_eq!(open_to_others(running.id()), Vec::<String>::new());
    // It is connected to the API server, by the one socket of this machine that it has.
    let own = inodes(running.id());
    let connected = table(running.id(), "tcp").into_iter().filter(|entry| own.contains(&entry.inode));
    let port = format!(":{:04X}", server.port());
    assert!(connected.into_iter().all(|entry| entry.remote.ends_with(&port)));
}

#[test]
fn a_request_ends_when_its_guest_lets_go_of_the_socket() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, EmbeddedUser::Certificate));
    let mut running = kwasm.start_with_input("lets-go", &["/api/v1/namespaces/shop/pods?watch=1"]);
    let mut input = running.stdin();
    assert_eq!(running.line(), "open");
    assert_eq!(server.requests()[0].answer, Answer::Open);
    writeln!(input).unwrap();
    assert_eq!(running.line(), "let go");
    eventually("the watch ends while the guest goes on", || server.requests()[0].answer == Answer::Cut);
    assert!(!running.has_ended());
}

#[test]
fn nothing_is_left_when_a_plugin_has_ended() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, EmbeddedUser::Certificate));
    let mut running = kwasm.start_with_input("lets-go", &["/api/v1/namespaces/shop/pods?watch=1"]);
    assert_eq!(running.line(), "open");
    let process = running.id();
    let mut input = running.stdin();
    input.write_all(b"\n\n").unwrap();
    running.end().success();
    assert!(!fs::exists(format!("/proc/{process}")).unwrap());
    eventually("no connection is left", || server.open_connections() == 0);
}

/// Returns the connections of a process to others, by their addresses on this side.
fn connections(process: u32) -> Vec<String> {
    let own = inodes(process);
    let entries = table(process, "tcp").into_iter();
    entries
        .filter(|entry| own.contains(&entry.inode) && entry.state == ESTABLISHED)
        .map(|entry| entry.local)
        .collect()
}

/// Returns whether the other side still has the connection.
fn is_held(connection: &str) -> bool {
    let held = |entry: &Entry| {
        entry.remote == connection && [ESTABLISHED, CLOSE_WAIT].contains(&entry.state.as_str())
    };
    table(std::process::id(), "tcp").iter().any(held)
}

/// Checks an interruption by the user in the middle of a stream.
#[track_caller]
fn interrupted(real: &Real, line: &[&str], begins: impl Fn(&Real, &mut Running)) {
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice));
    let mut running = kwasm.start_with_input("kube-client", &[&["-n", "interrupted"], line].concat());
    let mut input = running.stdin();
    input.write_all(b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    begins(real, &mut running);
    let (process, connections) = (running.id(), connections(running.id()));
    assert!(!connections.is_empty() && connections.iter().all(|connection| is_held(connection)), "{line:?}");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130), "{line:?}");
    assert!(!fs::exists(format!("/proc/{process}")).unwrap(), "{line:?}");
    for connection in connections {
        eventually("the API server ends its side", || !is_held(&connection));
    }
}

#[test]
fn the_api_server_sees_it_when_the_user_ends_a_stream() {
    let Some(real) = real("the_api_server_sees_it_when_the_user_ends_a_stream") else { return };
    let _log = real.pod_log();
    real.feed(&["create", "namespace", "interrupted"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "interrupted"], "");
    real.feed(
        &["wait", "--for=condition=Ready", "pod/web", "--namespace", "interrupted", "--timeout=60s"],
        "",
    );
    interrupted(real, &["exec", "web", "--", "sh", "-c", "echo begun; exec sleep 60"], |_, running| {
        running.line_with("begun");
    });
    interrupted(real, &["attach", "web"], |real, running| {
        while running.line_within(Duration::from_millis(200)).is_none() {
            real.say("said before the user ended it");
        }
    });
    interrupted(real, &["port-forward", "web", "2379"], |_, running| {
        running.line_with("HTTP/1.1 200 OK");
    });
}
