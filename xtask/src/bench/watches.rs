//! The memory of a guest that holds a thousand watches at once, each of which has received an event.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{measure::Line, stage::Stage};
use crate::{process, report::title};

const COUNT: usize = 1000;

/// The policy `cluster` with room for as many requests, and for the memory of a guest that has a buffer for each.
const POLICY: &str = "\
apiVersion: kwasm.dev/v1
kind: Policy
metadata: {name: many}
spec:
  kubernetes: {rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]}
  limits: {requests: 1024, memory: 1Gi}
";

/// A guest that is ended with this.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        process::end(&mut self.0);
    }
}

pub(crate) fn measure(stage: &Stage<'_>) -> Result<Vec<Line>> {
    title(&format!("watches: {COUNT} at once"));
    let memory = memory(stage, "watched", COUNT)?;
    let idle = stage.idle_memory()?;
    Ok(vec![Line::of_memory(&format!("watches, {COUNT} at once"), memory.saturating_sub(idle))])
}

/// Returns the peak of the memory of a guest that holds as many watches of a new namespace, in bytes.
pub(crate) fn memory(stage: &Stage<'_>, namespace: &str, count: usize) -> Result<u64> {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    stage.plane.create(&stage.home, &object)?;
    create(stage, namespace, "before")?;
    let path = format!("/api/v1/namespaces/{namespace}/configmaps?watch=true");
    let policy = stage.home.path().join("many.yaml");
    fs::write(&policy, POLICY)?;
    let mut command = stage.home.kwasm()?;
    command.args(["run", "--policy"]).arg(&policy).arg(stage.component("wasi3"));
    // The first of them is let go of when all have begun.
    command.args(["--", "follow-many", &path, &(count + 1).to_string(), "0"]);
    // The first run compiles.
    let mut held = |name: &str| held(stage, &mut command, count, || create(stage, namespace, name), name);
    held("first")?;
    held("second")
}

/// Runs the guest until each watch has received the object of this name, which is created after all of them began. Returns the
/// peak of its memory in bytes.
fn held(
    stage: &Stage<'_>,
    command: &mut Command,
    count: usize,
    create: impl Fn() -> Result<()>,
    name: &str,
) -> Result<u64> {
    stage.plane.as_admin(command)?;
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut watching = Watching(child);
    let lines = BufReader::new(watching.0.stdout.take().context("the guest has no output")?).lines();
    let event = format!(r#""name":"{name}""#);
    let mut heard = BTreeSet::new();
    for line in lines {
        let line = line?;
        if line == "let go of 0" {
            create()?;
        }
        if line.contains(&event) {
            heard.extend(line.split(' ').next().map(str::to_owned));
        }
        if heard.len() == count {
            return process::peak_memory(watching.0.id())
                .context("this system does not say how much memory a process has");
        }
    }
    bail!("the guest ended when {} of {count} watches had heard of `{name}`", heard.len())
}

fn create(stage: &Stage<'_>, namespace: &str, name: &str) -> Result<()> {
    let metadata = json!({"name": name, "namespace": namespace});
    stage.plane.create(&stage.home, &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))
}
