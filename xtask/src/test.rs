//! `cargo xtask test`: everything that this machine can test, and what it cannot.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};

use crate::{
    cargo, cluster,
    components::{self, Scope},
    counterparts, foreign,
    places::Places,
    process,
    report::{self, Report},
};

const FAULTS: &str = "kwasm-faults";

pub(crate) fn run(places: &Places, arguments: &[OsString]) -> Result<ExitCode> {
    let mut report = Report::default();
    let result = steps(places, arguments, &mut report);
    report.print();
    result?;
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn steps(places: &Places, arguments: &[OsString], report: &mut Report) -> Result<()> {
    let scratch = places.scratch("test")?;
    let skips = scratch.path().join("skips");
    fs::write(&skips, "")?;

    report.step("guests", || components::build(places, Scope::All))?;
    let supervisor = report.step("supervisor of control planes", || cluster::supervisor(places))?;
    let build = || process::run_for_reason(cluster::command(places, &supervisor).arg("build"));
    let unavailable = if places.ci {
        report.step("control plane", build)?;
        None
    } else {
        report.attempt("control plane", build).map(|why| format!("the real control plane: {why:#}"))
    };
    let (tools, mut missing) = counterparts::gather(places, report)?;
    let (foreign, unmade) = foreign::gather(places, report)?;
    missing.extend(unmade);
    let faults = report.step("kwasm without defences", || faults(places))?;
    let tests = || {
        let mut tests = tests(places, &supervisor, &skips);
        tests.env("KWASM_FAULTS", &faults).env("KWASM_FOREIGN", &foreign).env("KWASM_TOOLS", &tools);
        tests
    };
    report.step("build tests", || process::run(tests().arg("--no-run")))?;
    report.check("tests", || process::run(tests().arg("--no-fail-fast").arg("--").args(arguments)));
    report.check("tests of the guests", || process::run(&mut guest_tests(places)));

    let skipped = fs::read_to_string(&skips).context("cannot read what the tests skipped")?;
    let missing = unavailable.iter().chain(&missing).map(String::as_str);
    let not_run: Vec<&str> = missing.chain(skipped.lines()).collect();
    say(&not_run);
    if places.ci && !not_run.is_empty() {
        bail!("with CI=true every test has to run");
    }
    Ok(())
}

/// Builds the program from which a test can take single defences away. With the whole workspace chosen its dependencies
/// are those of the tests.
fn faults(places: &Places) -> Result<PathBuf> {
    let mut command = cargo::command(&places.root);
    command.args(["build", "--workspace", "--locked", "--features", "kwasm/faults", "--bin", FAULTS]);
    Ok(cargo::program(&cargo::build(&mut command)?, FAULTS)?.to_owned())
}

/// Cargo's tests of the workspace, with where the tests find what was built for them.
fn tests(places: &Places, supervisor: &Path, skips: &Path) -> Command {
    let mut command = cargo::command(&places.root);
    command
        .args(["test", "--workspace", "--locked"])
        .env("KWASM_COMPONENTS", places.components())
        .env("KWASM_CLUSTER_SUPERVISOR", supervisor)
        .env("KWASM_DEV_CACHE", &places.cache)
        // A test that cannot run appends a line `NAME: REASON`.
        .env("KWASM_SKIPS", skips);
    command
}

/// The guests' pure logic, on this machine's own target.
fn guest_tests(places: &Places) -> Command {
    let mut command = cargo::command(&places.guests());
    command
        .args(["test", "--workspace", "--locked"])
        .env("CARGO_TARGET_DIR", places.target.join("guests-native"));
    command
}

fn say(not_run: &[&str]) {
    report::title("not run");
    match not_run {
        [] => eprintln!("nothing: this machine ran every test"),
        lines => lines.iter().for_each(|line| eprintln!("{line}")),
    }
}
