//! `cargo xtask idle`: checks that connections that are idle for long continue, without using more memory.
//! Too slow for a test.

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    components::{self, Scope},
    home::Home,
    places::Places,
    plane::ControlPlane,
    process, release,
    report::title,
};

const POD: &str = "quiet";
const NAMESPACE: &str = "default";

/// A timeout longer than anything takes that arrives at all.
const PATIENCE: Duration = Duration::from_mins(1);

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
            let reader = Reader::start(&format!("{what}, {door}"), plane.as_admin(&mut command)?, last)?;
            reader.wait_for(first)?;
            readers.push(reader);
        }
    }

    title(&format!("{minutes} minutes of silence"));
    // What a run takes to be set up is there by then.
    thread::sleep(Duration::from_secs(1));
    let before: Vec<_> = readers.iter().map(|reader| process::memory(reader.child.id())).collect();
    thread::sleep(Duration::from_secs(60 * minutes));
    let after: Vec<_> = readers.iter().map(|reader| process::memory(reader.child.id())).collect();

    title("something happens");
    let start = Instant::now();
    plane.create(&home, &config_map("after"))?;
    let mut log = OpenOptions::new().append(true).open(plane.pod_log()?)?;
    log.write_all(b"2026-01-01T00:15:00.000000000Z stdout F awake again\n")?;
    let arrivals: Vec<_> = readers.iter().map(|reader| reader.wait_for(reader.last)).collect();
    Ok(tell(&readers, &before, &after, arrivals, start))
}

fn config_map(name: &str) -> Value {
    let metadata = json!({"name": name, "namespace": NAMESPACE});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
}

/// Prints for each reader what arrived and its memory before and after.
fn tell(
    readers: &[Reader],
    before: &[Option<u64>],
    after: &[Option<u64>],
    arrivals: Vec<Result<Instant>>,
    start: Instant,
) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let mebibytes = |memory: Option<u64>| memory.map_or("?".to_owned(), |bytes| format!("{}", bytes >> 20));
    for (index, (reader, arrival)) in readers.iter().zip(arrivals).enumerate() {
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

/// A guest that prints what it receives.
struct Reader {
    name: String,
    child: Child,
    lines: Receiver<(Instant, String)>,
    /// The last text that it has to print.
    last: &'static str,
}

impl Reader {
    fn start(name: &str, command: &mut Command, last: &'static str) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = BufReader::new(child.stdout.take().context("a guest without output")?);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        Ok(Self { name: name.to_owned(), child, lines, last })
    }

    /// Waits for a line with this text, and returns when it came.
    fn wait_for(&self, text: &str) -> Result<Instant> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let next = self.lines.recv_timeout(left);
            let (at, line) = next.with_context(|| format!("{}: `{text}` did not come", self.name))?;
            if line.contains(text) {
                return Ok(at);
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}
