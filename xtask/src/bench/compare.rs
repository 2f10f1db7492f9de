//! kwasm beside another revision of itself: the runs that users wait for, the two in turns.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::{
    first_run, list,
    measure::{self, Bar, Figure, Line},
    stage::{Stage, peak_memory, time},
};
use crate::{cargo, home::Home, places::Places, process, report::title};

const PEER: &str = "the other revision";
/// What a revision may be slower, or take more memory, without being worse: the machine's noise.
const BAR: f64 = 1.05;
/// The number of first runs, each of which compiles, and of runs that read a list of 100 MB.
const FEW: usize = 10;

/// Builds another revision as it is released, from a clone of its own, whose build is kept for the next comparison.
///
/// # Errors
/// If there is no such revision, or it does not build.
pub(crate) fn build(places: &Places, revision: &str) -> Result<PathBuf> {
    let mut git = Command::new("git");
    git.current_dir(&places.root).args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
    let commit = process::output(git.arg(format!("{revision}^{{commit}}")))
        .with_context(|| format!("no revision `{revision}` in this repository"))?;
    let commit = commit.trim();
    let folder = places.target.join("compare");
    let program = folder.join(format!("kwasm-{commit}"));
    if program.is_file() {
        return Ok(program);
    }
    title(&format!("building {commit}"));
    let clone = places.scratch("compare")?;
    process::run(
        Command::new("git")
            .args(["clone", "--quiet", "--shared", "--no-checkout"])
            .args([&places.root, clone.path()]),
    )?;
    process::run(
        Command::new("git").current_dir(clone.path()).args(["checkout", "--quiet", "--detach", commit]),
    )?;
    let built = folder.join("target");
    let mut release = cargo::command(clone.path());
    process::run(release.args(["xtask", "release"]).env("CARGO_TARGET_DIR", &built))?;
    // Whole or not at all.
    let new = folder.join(format!("new-{commit}"));
    fs::copy(built.join("release").join(format!("kwasm{}", std::env::consts::EXE_SUFFIX)), &new)?;
    fs::rename(new, &program)?;
    Ok(program)
}

/// Measures the runs without a cluster, this kwasm first.
pub(crate) fn measure(places: &Places, [ours, theirs]: [&Path; 2], runs: usize) -> Result<Vec<Line>> {
    let homes = [Home::new(places, "compare-ours", ours)?, Home::new(places, "compare-theirs", theirs)?];
    let component = |name: &str| places.components().join(format!("{name}.wasm"));
    let mut lines = Vec::new();
    lines.extend(row("hello", runs, &homes, |home| {
        let mut command = home.kwasm()?;
        command.arg("run").arg(component("hello"));
        Ok(command)
    })?);
    for name in ["hello", "big"] {
        lines.extend(row(&format!("installed {name}"), runs, &homes, |home| {
            process::output(home.kwasm()?.arg("install").arg(component(name)).stderr(Stdio::null()))?;
            home.command(home.link(name))
        })?);
    }
    title(&format!("first run of decoder: {FEW} of each"));
    let first = |kwasm: &Path| {
        let home = Home::new(places, "compare-first", kwasm)?;
        Ok(first_run::first_byte(&home, &component("decoder"), "optimized")?.0)
    };
    let (mine, other) = measure::interleaved(FEW, || first(ours), || first(theirs))?;
    lines.push(Line::of_medians("first run of decoder, optimized", PEER, &mine, &other, BAR));
    Ok(lines)
}

/// Measures the runs at a cluster: one request, and a list of 100 MB.
pub(crate) fn at_a_cluster(stage: &Stage<'_>, theirs: &Stage<'_>, runs: usize) -> Result<Vec<Line>> {
    let get = |stage: &Stage<'_>| stage.admins_guest("downloads", &["/api/v1/namespaces/default"]);
    let mut lines = commands("one request", runs, [get(stage)?, get(theirs)?])?;
    list::fill(stage)?;
    let list = |stage: &Stage<'_>| stage.admins_guest("downloads", &[list::PATH]);
    lines.extend(commands("list of 100 MB", FEW, [list(stage)?, list(theirs)?])?);
    Ok(lines)
}

fn row(
    name: &str,
    runs: usize,
    homes: &[Home; 2],
    command: impl Fn(&Home) -> Result<Command>,
) -> Result<Vec<Line>> {
    commands(name, runs, [command(&homes[0])?, command(&homes[1])?])
}

/// Compares time and memory of a command on both sides, after a run of each, which may compile.
fn commands(name: &str, runs: usize, [mut ours, mut theirs]: [Command; 2]) -> Result<Vec<Line>> {
    title(&format!("{name}: {runs} of each"));
    // The first run may compile.
    time(&mut ours)?;
    time(&mut theirs)?;
    let memory = Line {
        row: format!("{name}, memory"),
        peer: PEER,
        ours: Figure::memory(peak_memory(&mut ours)?),
        theirs: Figure::memory(peak_memory(&mut theirs)?),
        bar: Bar::AtMost(BAR),
    };
    let (ours, theirs) = measure::interleaved(runs, || time(&mut ours), || time(&mut theirs))?;
    Ok(vec![Line::of_medians(name, PEER, &ours, &theirs, BAR), memory])
}
