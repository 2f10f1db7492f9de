//! The time and the memory to read a list of 100 MB to its end.

use std::{process::Command, time::Duration};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{
    DOORS,
    measure::{self, Bar, Figure, Line},
    stage::{Run, Stage},
};
use crate::{process, report::title};

const PEER: &str = "curl --http1.1";
const BAR: f64 = 1.0;
const RUNS: usize = 15;
const NAMESPACE: &str = "large";
/// The path of the list. Without the parameter, the API server would indent it for curl, whose user agent it
/// recognises.
pub(crate) const PATH: &str = "/api/v1/namespaces/large/configmaps?pretty=false";

/// The number of objects, of [`SIZE`] bytes each: etcd accepts at most 1.5 MiB for one.
const OBJECTS: usize = 105;
const SIZE: usize = 1_000_000;

/// Measures the list through each door.
pub(crate) fn measure(stage: &Stage<'_>) -> Result<Vec<Line>> {
    title("list: 105 objects of 1 MB each");
    fill(stage)?;
    let idle = stage.idle_memory()?;
    let mut lines = Vec::new();
    for door in DOORS {
        let (guest, arguments) = door.arguments(door.downloads, PATH);
        let mut ours = stage.admins_guest(guest, &arguments)?;
        let mut theirs = curl(stage)?;
        let bytes = size(&Run::of(&mut theirs)?.stdout)?;
        let read = size(&Run::of(&mut ours)?.stdout)?;
        if read != bytes {
            bail!("the two sides read different lists, of {read} and {bytes} bytes");
        }
        let mut memory = 0;
        let ours = || -> Result<Duration> {
            let run = Run::of(&mut ours)?;
            memory = run.memory.max(memory);
            Ok(run.took)
        };
        let theirs = || Ok(Run::of(&mut theirs)?.took);
        let (our_times, their_times) = measure::interleaved(RUNS, ours, theirs)?;
        lines.push(Line {
            row: format!("list {}", door.name),
            peer: PEER,
            ours: Figure::throughput(&our_times, bytes),
            theirs: Figure::throughput(&their_times, bytes),
            bar: Bar::AtLeast(BAR),
        });
        lines.push(Line::of_memory(&format!("list {} memory", door.name), memory.saturating_sub(idle)));
    }
    Ok(lines)
}

/// Creates the objects, if that has not been done.
pub(crate) fn fill(stage: &Stage<'_>) -> Result<()> {
    let mut kubectl = stage.plane.kubectl(&stage.home)?;
    if process::succeeds(stage.plane.as_admin(&mut kubectl)?.args(["get", "namespace", NAMESPACE])) {
        return Ok(());
    }
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    stage.plane.create(&stage.home, &namespace)?;
    let value = "0123456789".repeat(SIZE / 10);
    let names: Vec<usize> = (0..OBJECTS).collect();
    // kubectl keeps what it is given.
    for names in names.chunks(21) {
        let items: Vec<Value> = names
            .iter()
            .map(|name| {
                let metadata = json!({"name": format!("large-{name}"), "namespace": NAMESPACE});
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}})
            })
            .collect();
        stage.plane.create(&stage.home, &json!({"apiVersion": "v1", "kind": "List", "items": items}))?;
    }
    Ok(())
}

/// Returns a curl command with the same certificate, which prints how much it read.
fn curl(stage: &Stage<'_>) -> Result<Command> {
    let mut curl = Command::new("curl");
    curl.args([
        "--http1.1",
        "--silent",
        "--fail",
        "--output",
        "/dev/null",
        "--write-out",
        "%{size_download} bytes",
    ]);
    for (option, file) in [("--cacert", "ca.crt"), ("--cert", "admin.crt"), ("--key", "admin.key")] {
        curl.arg(option).arg(stage.plane.file(file)?);
    }
    curl.arg(format!("{}{PATH}", stage.plane.server()?));
    Ok(curl)
}

/// Reads the number before `bytes`.
fn size(text: &str) -> Result<u64> {
    let number = text.split_once(" bytes").and_then(|(number, _)| number.parse().ok());
    match number {
        Some(bytes) if bytes > 100_000_000 => Ok(bytes),
        _ => bail!("no list of 100 MB: {text}"),
    }
}
