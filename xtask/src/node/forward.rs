//! What a client of a pod's port is told when nobody listens there: by a plugin on kube-rs the same as by kubectl.

use anyhow::{Result, bail};

use super::{
    Stage,
    cluster::{run, run_with},
};

/// A pod that serves one file on port 8080, and nothing on others.
const POD: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ports"}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "ports"}, "spec": {
        "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "web", "image": "localhost/pause:1", "command": ["/bin/busybox", "sh", "-c",
            "echo served >/tmp/index.html; exec busybox httpd -f -p 8080 -h /tmp"]}]}}]}"#;

const REQUEST: &str = "GET / HTTP/1.0\r\n\r\n";
const SILENT: &str = "9";

pub(super) fn check(stage: &Stage<'_>) -> Result<()> {
    let cluster = stage.cluster;
    cluster.apply(POD)?;
    cluster.ask(&["wait", "-n", "ports", "--for=condition=Ready", "--timeout=60s", "pod/web"])?;
    let forward = |port: &str| {
        let mut kwasm = cluster.kwasm(&["run", "--policy", "cluster"])?;
        kwasm.arg(stage.component("kube-client")).args(["--", "-n", "ports", "port-forward", "web", port]);
        Ok::<_, anyhow::Error>(kwasm)
    };
    let served = run_with(&mut forward("8080")?, REQUEST)?;
    if served.code != Some(0) || !served.stdout.contains("served") {
        bail!("port 8080 did not answer: {}{}", served.stdout, served.stderr);
    }
    for _ in 0..5 {
        let refused = run(&mut forward(SILENT)?)?;
        print!("{}", refused.stderr);
        if refused.code != Some(1) || !refused.stderr.contains("connection refused") {
            bail!("the guest should tell that nobody listens: {:?}, {}", refused.code, refused.stderr);
        }
    }
    Ok(())
}
