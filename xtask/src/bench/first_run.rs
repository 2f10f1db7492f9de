//! The first run of a component that kwasm has never seen, up to its first byte of output.

use std::{
    cell::Cell,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::measure::{Bar, Figure, Line, interleaved};
use crate::{home::Home, places::Places, process, projects, report::title};

/// The number of first runs of each side. Each compiles, which takes seconds.
const RUNS: usize = 20;

/// The languages, of each of which a new project is built as it is.
const LANGUAGES: [&str; 3] = ["go", "js", "python"];

const TIME_BAR: f64 = 0.35;
const MEMORY_BAR: f64 = 0.5;

const PEER: &str = "compiled with all optimizations first";

/// Compares the first run from baseline code with one from optimized code.
pub(crate) fn measure(places: &Places, kwasm: &Path) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for language in LANGUAGES {
        title(&format!("building a new project in {language}"));
        let scratch = places.scratch(&format!("bench-first-run-{language}"))?;
        let component = build(places, kwasm, language, scratch.path())?;
        let megabytes = fs::metadata(&component)?.len() / 1_000_000;
        title(&format!("first run: {RUNS} of each"));
        let peaks = [Cell::new(0), Cell::new(0)];
        let side = |index: usize, schedule| {
            let (time, peak) = first_byte(places, kwasm, &component, schedule)?;
            let most: &Cell<u64> = &peaks[index];
            most.set(most.get().max(peak));
            Ok(time)
        };
        // Not `background`: what it goes on with afterwards would be at work during the next measurement.
        let (ours, theirs) = interleaved(RUNS, || side(0, "baseline"), || side(1, "optimized"))?;
        let row = format!("first run, {language} {megabytes} MB");
        lines.push(Line::of_medians(&row, PEER, &ours, &theirs, TIME_BAR));
        lines.push(Line {
            row: format!("{row}, memory"),
            peer: PEER,
            ours: Figure::memory(peaks[0].get()),
            theirs: Figure::memory(peaks[1].get()),
            bar: Bar::AtMost(MEMORY_BAR),
        });
    }
    Ok(lines)
}

/// Makes a project in this folder and builds it, with the user's own toolchains. Returns the component.
fn build(places: &Places, kwasm: &Path, language: &str, folder: &Path) -> Result<PathBuf> {
    process::output(Command::new(kwasm).args(["new", "first", "--lang", language]).current_dir(folder))?;
    let project = folder.join("first");
    if let Some(tools) = projects::ALL.iter().find(|tools| tools.name == language) {
        link(&tools.install(places)?, &project.join(tools.tools))?;
    }
    process::output(Command::new(kwasm).arg("build").current_dir(&project))?;
    Ok(project.join("first.wasm"))
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(from, to)
}

/// Returns how long a run in a new home takes to its first byte of output, and its peak of memory until then.
fn first_byte(places: &Places, kwasm: &Path, component: &Path, schedule: &str) -> Result<(Duration, u64)> {
    let home = Home::new(places, "bench-first-run", kwasm)?;
    let (mut reader, writer) = io::pipe()?;
    let mut command = home.kwasm()?;
    command.arg("run").arg(component).args(["--", "--help"]).env("KWASM_COMPILE", schedule);
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let start = Instant::now();
    let mut child = command.spawn()?;
    // Else the reader would wait for this program, too.
    drop(command);
    reader.read_exact(&mut [0]).context("it printed nothing")?;
    let (time, peak) = (start.elapsed(), process::peak_memory(child.id()).unwrap_or(0));
    process::end(&mut child);
    Ok((time, peak))
}
