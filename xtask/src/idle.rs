//! `cargo xtask idle`: checks that connections that are idle for long continue, without using more memory.
//! Too slow for a test.

use std::{
    fs::OpenOptions,
    io::Write,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    components::{self, Scope},
    home::Home,
    places::Places,
    plane::ControlPlane,
    process,
    reader::Reader,
    release,
    report::title,
};

const POD: &str = "quiet";
const NAMESPACE: &str = "default";

pub(crate) fn run(places: &Places, minutes: u64) -> Result<ExitCode> {
    let kwasm = release::build(places)?;
    title("building the guests");
    components::build(places, Scope::Workspace)?;
    title("starting a control plane");
    let plane = ControlPlane::start(places)?;
    let home = Home::new(places, "idle", &kwasm)?;
    plane.run_pod(&home, POD)?;
    plane.create(&home, &config_map("before"))?;

    let mut readers = Vec::new();
    for (door, options) in [("http", &[][..]), ("sockets", &["--sockets"][..])] {
        for (what, path, first, last) in [
            ("watch", format!("/api/v1/namespaces/{NAMESPACE}/configmaps?watch=true"), "before", "after"),
            (
                "logs -f",
                format!("/api/v1/namespaces/{NAMESPACE}/pods/{POD}/log?follow=true"),
                "hello",
                "awake",
            ),
        ] {
            let mut command = home.kwasm()?;
            let guest = places.components().join("follows.wasm");
            command.args(["run", "--policy", "cluster"]).arg(guest).args(["--", &path]).args(options);
            let reader = Reader::start(&format!("{what}, {door}"), plane.as_admin(&mut command)?)?;
            reader.wait_for(first)?;
            readers.push((reader, last));
        }
    }

    title(&format!("{minutes} minutes of silence"));
    // What a run takes to be set up is there by then.
    thread::sleep(Duration::from_secs(1));
    let before: Vec<_> = readers.iter().map(|(reader, _)| process::memory(reader.child.id())).collect();
    thread::sleep(Duration::from_secs(60 * minutes));
    let after: Vec<_> = readers.iter().map(|(reader, _)| process::memory(reader.child.id())).collect();

    title("something happens");
    let start = Instant::now();
    plane.create(&home, &config_map("after"))?;
    let mut log = OpenOptions::new().append(true).open(plane.pod_log()?)?;
    log.write_all(b"2026-01-01T00:15:00.000000000Z stdout F awake again\n")?;
    let arrivals: Vec<_> = readers.iter().map(|(reader, last)| reader.wait_for(last)).collect();
    Ok(tell(&readers, &before, &after, arrivals, start))
}

fn config_map(name: &str) -> Value {
    let metadata = json!({"name": name, "namespace": NAMESPACE});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
}

/// Prints for each reader what arrived and its memory before and after.
fn tell(
    readers: &[(Reader, &str)],
    before: &[Option<u64>],
    after: &[Option<u64>],
    arrivals: Vec<Result<Instant>>,
    start: Instant,
) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let mebibytes = |memory: Option<u64>| memory.map_or("?".to_owned(), |bytes| format!("{}", bytes >> 20));
    for (index, ((reader, _), arrival)) in readers.iter().zip(arrivals).enumerate() {
        let came = match arrival {
            Ok(at) => format!("lives: what happened came after {} ms", (at - start).as_millis()),
            Err(error) => {
                code = ExitCode::FAILURE;
                format!("FAILED: {error:#}")
            }
        };
        let (before, after) = (mebibytes(before[index]), mebibytes(after[index]));
        println!("{:18} {before:>3} MiB, then {after:>3} MiB; {came}", reader.name);
    }
    code
}
