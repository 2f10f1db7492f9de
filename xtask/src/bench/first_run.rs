//! The first run of a component that kwasm has never seen, up to its first byte of output; and that of a second one in the same
//! language.

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

/// The most first runs of each side. Each compiles, which takes seconds.
const RUNS: usize = 20;

/// The languages, of each of which a new project is built as it is.
const LANGUAGES: [&str; 3] = ["go", "js", "python"];

const TIME_BAR: f64 = 0.35;
const MEMORY_BAR: f64 = 0.5;
const SECOND_BAR: f64 = 0.2;

const PEER: &str = "compiled with all optimizations first";
const FIRST: &str = "the same where it is the first of its language";

/// Compares the first run from baseline code with one from optimized code.
pub(crate) fn measure(places: &Places, kwasm: &Path, runs: usize) -> Result<Vec<Line>> {
    let runs = runs.min(RUNS);
    let mut lines = Vec::new();
    for language in LANGUAGES {
        title(&format!("building a new project in {language}"));
        let scratch = places.scratch(&format!("bench-first-run-{language}"))?;
        let component = build(places, kwasm, language, "first", scratch.path())?;
        let megabytes = fs::metadata(&component)?.len() / 1_000_000;
        title(&format!("first run: {runs} of each"));
        let peaks = [Cell::new(0), Cell::new(0)];
        let side = |index: usize, schedule| {
            let home = Home::new(places, "bench-first-run", kwasm)?;
            let (time, peak) = first_byte(&home, &component, schedule)?;
            let most: &Cell<u64> = &peaks[index];
            most.set(most.get().max(peak));
            Ok(time)
        };
        // Not `background`: what it goes on with afterwards would be at work during the next measurement.
        let (ours, theirs) = interleaved(runs, || side(0, "baseline"), || side(1, "optimized"))?;
        let row = format!("first run, {language} {megabytes} MB");
        lines.push(Line::of_medians(&row, PEER, &ours, &theirs, TIME_BAR));
        lines.push(Line {
            row: format!("{row}, memory"),
            peer: PEER,
            ours: Figure::memory(peaks[0].get()),
            theirs: Figure::memory(peaks[1].get()),
            bar: Bar::AtMost(MEMORY_BAR),
        });
        let second = build(places, kwasm, language, "second", scratch.path())?;
        lines.push(second_of_its_language(places, kwasm, language, [&component, &second], runs)?);
    }
    Ok(lines)
}

/// Compares the first run of a component where another one in its language was run before with one where none was. Both
/// are compiled with all optimizations first.
fn second_of_its_language(
    places: &Places,
    kwasm: &Path,
    language: &str,
    [first, second]: [&Path; 2],
    runs: usize,
) -> Result<Line> {
    title(&format!("first run of a second one: {runs} of each"));
    let run = |is_second: bool| {
        let home = Home::new(places, "bench-first-run", kwasm)?;
        if is_second {
            first_byte(&home, first, "optimized")?;
        }
        Ok(first_byte(&home, second, "optimized")?.0)
    };
    let (ours, theirs) = interleaved(runs, || run(true), || run(false))?;
    Ok(Line::of_medians(&format!("second, {language}"), FIRST, &ours, &theirs, SECOND_BAR))
}

/// Makes a project with this name in this folder and builds it, with the user's own toolchains. Returns the component.
pub(crate) fn build(
    places: &Places,
    kwasm: &Path,
    language: &str,
    name: &str,
    folder: &Path,
) -> Result<PathBuf> {
    process::output(Command::new(kwasm).args(["new", name, "--lang", language]).current_dir(folder))?;
    let project = folder.join(name);
    if let Some(tools) = projects::ALL.iter().find(|tools| tools.name == language) {
        link(&tools.install(places)?, &project.join(tools.tools))?;
    }
    process::output(Command::new(kwasm).arg("build").current_dir(&project))?;
    Ok(project.join(format!("{name}.wasm")))
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(from, to)
}

/// Returns how long a run takes to its first byte of output, and its peak of memory until then.
pub(crate) fn first_byte(home: &Home, component: &Path, schedule: &str) -> Result<(Duration, u64)> {
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
