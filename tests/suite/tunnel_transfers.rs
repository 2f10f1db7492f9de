//! Tests that bytes are carried to and from commands in a pod and behind its ports, completely, in order, and
//! without using memory.

use std::path::Path;
use std::process::Command;

use kwasm_cluster::User;
use serde_json::json;

use crate::support::{Kwasm, Real, real};

/// The number of bytes carried. `cargo xtask bench exec port-forward` carries a gibibyte.
const BYTES: u64 = 64 << 20;

/// The largest memory beyond that of an idle run for a run that carries bytes.
const ROOM: u64 = 64 << 20;

/// Returns the words of a command at the end of each way there.
fn ways(script: &str) -> [(&str, Vec<&str>); 2] {
    // The second receives its command as a line.
    [("exec", vec!["sh", "-c", script]), ("forward", vec![script])]
}

fn run_pod(real: &Real, name: &str) {
    let spec = json!({"containers": [{"name": "main", "image": "none"}]});
    let metadata = json!({"name": name, "namespace": "default"});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    real.feed(&["create", "-f", "-"], &pod.to_string());
    real.feed(&["wait", "--for=condition=Ready", "--timeout=60s", &format!("pod/{name}")], "");
}

/// Writes what the guest sends, over and over, to a file.
fn pattern(kwasm: &Kwasm, file: &Path) -> usize {
    let bytes = kwasm.guest("carries", &["pattern"]).output().unwrap().stdout;
    assert!(!bytes.is_empty());
    std::fs::write(file, &bytes).unwrap();
    bytes.len()
}

/// Runs the guest to its end and returns its output. It must not take more memory than an idle one and
/// [`ROOM`].
fn carry(kwasm: &Kwasm, way: &str, pod: &str, direction: &str, command: &[&str]) -> String {
    let mut idle = kwasm.start("sleeps-forever", &[]);
    idle.line();
    let most = idle.peak_memory().unwrap_or(0) + ROOM;
    let bytes = BYTES.to_string();
    let mut running = kwasm.start("carries", &[&[way, pod, direction, &bytes, "--"], command].concat());
    let peak = running.peak_until_end();
    assert!(peak < most, "{way} {direction}: {peak} bytes of memory");
    running.end().success().stdout
}

#[test]
fn what_a_command_writes_comes_as_it_is() {
    let Some(real) = real("what_a_command_writes_comes_as_it_is") else { return };
    run_pod(real, "gives");
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let file = kwasm.home().join("pattern");
    let times = usize::try_from(BYTES).unwrap() / pattern(&kwasm, &file);
    let script = format!("cat{}", format!(" {}", file.display()).repeat(times));
    for (way, command) in ways(&script) {
        let told = carry(&kwasm, way, "gives", "--receive", &command);
        assert_eq!(told, format!("{BYTES} bytes as they should be\n"), "{way}");
    }
}

#[test]
fn what_a_command_reads_arrives_as_it_was() {
    let Some(real) = real("what_a_command_reads_arrives_as_it_was") else { return };
    run_pod(real, "takes");
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let file = kwasm.home().join("pattern");
    let times = usize::try_from(BYTES).unwrap() / pattern(&kwasm, &file);
    let local = format!("cat{} | sha256sum", format!(" {}", file.display()).repeat(times));
    let expected = Command::new("sh").args(["-c", &local]).output().unwrap().stdout;
    // kwok does not end a command's input: it must know how much there is.
    let script = format!("head -c {BYTES} | sha256sum");
    for (way, command) in ways(&script) {
        let told = carry(&kwasm, way, "takes", "--send", &command);
        assert_eq!(told, String::from_utf8_lossy(&expected), "{way}");
    }
}
