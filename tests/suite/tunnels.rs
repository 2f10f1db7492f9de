//! Shells and forwarded ports go through a plugin's socket byte for byte, in each protocol that kubectl speaks: it is
//! kubectl itself that speaks there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, Relay, Run, Running, real};

/// kubectl at the far end of a plugin, in the namespace `tunnels`.
struct Kubectl {
    relay: Relay,
    program: std::path::PathBuf,
}

/// The protocols of kubectl, by its own variables; they are on by default since v1.31.
const PROTOCOLS: [(&str, &str); 2] = [("WebSocket", "true"), ("SPDY", "false")];

impl Kubectl {
    fn through(real: &Real, kwasm: Kwasm) -> Self {
        let kwasm = kwasm.kubeconfig(real.kubeconfig(User::Alice));
        Self { relay: Relay::start(kwasm), program: real.kubectl_program() }
    }

    fn command(&self, websockets: &str, line: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--server", &self.relay.url(), "--namespace", "tunnels"]).args(line);
        command.env("KUBECONFIG", "/nowhere").stdin(Stdio::null());
        for variable in ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "KUBECTL_PORT_FORWARD_WEBSOCKETS"] {
            command.env(variable, websockets);
        }
        command
    }
}

fn pod(real: &Real, name: &str) {
    drop(real.kubectl().args(["create", "namespace", "tunnels"]).output());
    real.feed(&["run", name, "--image=none", "--namespace", "tunnels"], "");
    let pod = format!("pod/{name}");
    real.feed(&["wait", "--for=condition=Ready", &pod, "--namespace", "tunnels", "--timeout=60s"], "");
}

#[test]
fn a_shell_speaks_and_listens_in_each_protocol() {
    let Some(real) = real("a_shell_speaks_and_listens_in_each_protocol") else { return };
    pod(real, "shell");
    let kubectl = Kubectl::through(real, Kwasm::new());
    for (protocol, websockets) in PROTOCOLS {
        let both =
            kubectl.command(websockets, &["exec", "shell", "--", "sh", "-c", "echo out; echo err >&2"]);
        let run = Run::of(&mut { both }).success();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("out\n", "err\n"), "{protocol}");
        let mut cat = kubectl.command(websockets, &["exec", "-i", "shell", "--", "head", "-c", "2097152"]);
        let mut cat = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let sent: Vec<u8> = (0..2_097_152_u32).map(|at| at.to_le_bytes()[(at % 4) as usize]).collect();
        let mut input = cat.stdin.take().unwrap();
        let whole = sent.clone();
        let writer = std::thread::spawn(move || input.write_all(&whole).unwrap());
        let output = cat.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success() && output.stdout == sent, "{protocol}: {}", output.stdout.len());
    }
}

#[test]
fn a_forwarded_port_answers_in_each_protocol() {
    let Some(real) = real("a_forwarded_port_answers_in_each_protocol") else { return };
    pod(real, "forwarded");
    let kubectl = Kubectl::through(real, Kwasm::new());
    for (protocol, websockets) in PROTOCOLS {
        let mut forward =
            Running::of(kubectl.command(websockets, &["port-forward", "pod/forwarded", ":2379"]));
        // Forwarding from 127.0.0.1:40001 -> 2379
        let line = forward.line_with("Forwarding from 127.0.0.1:");
        let address = line.split(' ').nth(2).unwrap().to_owned();
        for _ in 0..3 {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            let mut answer = [0; 15];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200 OK", "{protocol}");
        }
    }
}

#[test]
fn what_a_policy_does_not_allow_is_told_to_kubectl_in_each_protocol() {
    let Some(real) = real("what_a_policy_does_not_allow_is_told_to_kubectl_in_each_protocol") else { return };
    pod(real, "refused");
    let kubectl = Kubectl::through(real, Kwasm::new().policy("read-only"));
    for (protocol, websockets) in PROTOCOLS {
        for line in [
            ["exec", "refused", "--", "true"].as_slice(),
            &["attach", "refused"],
            &["port-forward", "refused", ":1"],
        ] {
            let run = Run::of(&mut kubectl.command(websockets, line));
            assert_ne!(run.code, Some(0), "{protocol} {line:?}");
            assert!(run.stderr.contains("refused by kwasm"), "{protocol} {line:?}: {}", run.shown());
        }
    }
    let pods = Run::of(&mut kubectl.command("true", &["get", "pods", "-o", "name"])).success();
    assert!(pods.stdout.contains("pod/refused"), "{}", pods.shown());
}
