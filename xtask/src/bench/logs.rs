//! The throughput of a log that is followed, through a real API server.

use std::{
    fs::OpenOptions,
    io::{BufWriter, Write},
    process::Command,
};

use anyhow::{Result, bail};

use super::{
    DOORS,
    measure::{self, Bar, Figure, Line},
    stage::{Run, Stage, time},
};
use crate::report::title;

const BAR: f64 = 1.0;
const RUNS: usize = 5;
const POD: &str = "talks";
/// A log of this many bytes is followed, and ends there.
const BYTES: u64 = 400_000_000;
const LINE: usize = 200;

/// Measures it through each door, against kubectl, whose output nothing keeps.
pub(crate) fn measure(stage: &Stage<'_>) -> Result<Vec<Line>> {
    title(&format!("logs: {} MB of lines of {LINE} bytes", BYTES / 1_000_000));
    stage.plane.run_pod(&stage.home, POD)?;
    let log = OpenOptions::new().append(true).open(stage.plane.pod_log()?)?;
    let mut log = BufWriter::new(log);
    let text = "0123456789".repeat(LINE / 10);
    for _ in 0..=BYTES / u64::try_from(LINE)? {
        writeln!(log, "2026-01-01T00:00:00.000000000Z stdout F {text}")?;
    }
    log.flush()?;
    let path = format!("/api/v1/namespaces/default/pods/{POD}/log?follow=true&limitBytes={BYTES}");
    let mut lines = Vec::new();
    for door in DOORS {
        let (guest, arguments) = door.arguments(door.downloads, &path);
        let mut ours = stage.admins_guest(guest, &arguments)?;
        let expected = format!("{BYTES} bytes");
        let printed = Run::of(&mut ours)?.stdout;
        if !printed.contains(&expected) {
            bail!("the guest read something else than {expected}: {printed}");
        }
        let mut theirs = kubectl(stage)?;
        let (ours, theirs) = measure::interleaved(RUNS, || time(&mut ours), || time(&mut theirs))?;
        lines.push(Line {
            row: format!("logs {}", door.name),
            peer: "kubectl logs -f",
            ours: Figure::throughput(&ours, BYTES),
            theirs: Figure::throughput(&theirs, BYTES),
            bar: Bar::AtLeast(BAR),
        });
    }
    Ok(lines)
}

/// Returns kubectl, following the same.
fn kubectl(stage: &Stage<'_>) -> Result<Command> {
    let mut kubectl = stage.plane.kubectl(&stage.home)?;
    stage.plane.as_admin(&mut kubectl)?.args(["logs", "--follow", POD, "--namespace", "default"]);
    kubectl.arg(format!("--limit-bytes={BYTES}"));
    Ok(kubectl)
}
