//! `cargo xtask test`: runs everything that this machine can test, and reports what it cannot.

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
    counterparts, foreign, go_guests,
    places::{self, Places},
    process, projects,
    report::{self, Report},
    wasm::Toolchain,
};

const FAULTS: &str = "kwasm-faults";

/// The modules of the suite that `--quick` runs: they need neither a control plane nor other tools.
const QUICK: [&str; 2] = ["hostile::", "policies::"];

/// Runs all that this machine can run, or with `quick` what says most for its time: unit tests, documentation, policies
/// and hostile guests.
pub(crate) fn run(places: &Places, quick: bool, arguments: &[OsString]) -> Result<ExitCode> {
    let mut report = Report::default();
    let result = if quick {
        Toolchain::find(places, Scope::Workspace.need(), false)?;
        quick_steps(places, arguments, &mut report)
    } else {
        prepare(places)?;
        steps(places, arguments, &mut report)
    };
    report.print();
    result?;
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reports what this machine lacks before minutes go into anything else.
///
/// # Errors
/// Fails without a toolchain for WebAssembly, which nothing can do without, and in continuous integration without
/// any program that a test needs.
fn prepare(places: &Places) -> Result<()> {
    Toolchain::find(places, Scope::All.need(), false)?;
    let mut lacking: Vec<String> =
        foreign::lacking().chain(counterparts::lacking()).chain(projects::lacking()).collect();
    if places::on_path("go").is_none() {
        lacking.push("the control plane, cosign: `go` is not on PATH: install Go 1.26 or newer".to_owned());
    }
    if lacking.is_empty() {
        return Ok(());
    }
    report::title("this machine lacks programs; what needs them will not run");
    for line in &lacking {
        eprintln!("{line}");
    }
    if places.ci {
        bail!("with CI=true everything has to run");
    }
    Ok(())
}

fn quick_steps(places: &Places, arguments: &[OsString], report: &mut Report) -> Result<()> {
    let scratch = places.scratch("test")?;
    let skips = scratch.path().join("skips");
    fs::write(&skips, "")?;
    report.step("guests", || components::build(places, Scope::Workspace))?;
    let faults = report.step("kwasm without defences", || faults(places))?;
    let tests = |kind: &[&str]| {
        let mut tests = cargo::command(&places.root);
        tests.args(["test", "--workspace", "--locked"]).args(kind).env("KWASM_FAULTS", &faults);
        with_places(&mut tests, places, &skips);
        tests
    };
    report
        .step("build tests", || process::run(tests(&["--lib", "--bins", "--test", "all"]).arg("--no-run")))?;
    let unit = ["--lib", "--bins", "--no-fail-fast", "--"];
    report.check("unit tests", || process::run(tests(&unit).args(arguments)));
    report.check("documentation", || process::run(tests(&["--doc", "--no-fail-fast", "--"]).args(arguments)));
    let suite = ["--test", "all", "--no-fail-fast", "--"];
    // The test program takes any of the words that it is given: of the user's, the modules are left out.
    report.check("policies and hostile guests", || {
        let mut tests = tests(&suite);
        process::run(if arguments.is_empty() { tests.args(QUICK) } else { tests.args(arguments) })
    });
    let skipped = fs::read_to_string(&skips).context("cannot read what the tests skipped")?;
    say(&skipped.lines().collect::<Vec<_>>());
    Ok(())
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
    let (projects, unprepared) = projects::gather(places, report)?;
    missing.extend(unprepared);
    let faults = report.step("kwasm without defences", || faults(places))?;
    missing.extend(go_guests::gather(places, &faults, &foreign, report)?);
    let tests = || {
        let mut tests = tests(places, &supervisor, &skips);
        tests.env("KWASM_FAULTS", &faults).env("KWASM_FOREIGN", &foreign).env("KWASM_TOOLS", &tools);
        tests.env("KWASM_PROJECTS", &projects);
        tests
    };
    report.step("build tests", || process::run(tests().arg("--no-run")))?;
    report.check("tests", || process::run(tests().arg("--no-fail-fast").arg("--").args(arguments)));
    report.check("tests of the guests", || guest_tests(places));

    let skipped = fs::read_to_string(&skips).context("cannot read what the tests skipped")?;
    let missing = unavailable.iter().chain(&missing).map(String::as_str);
    let not_run: Vec<&str> = missing.chain(skipped.lines()).collect();
    say(&not_run);
    if places.ci && !not_run.is_empty() {
        bail!("with CI=true every test has to run");
    }
    Ok(())
}

/// Builds the program from which a test can remove single defences. Building it within the whole workspace
/// lets it share the tests' dependencies.
pub(crate) fn faults(places: &Places) -> Result<PathBuf> {
    let mut command = cargo::command(&places.root);
    command.args(["build", "--workspace", "--locked", "--features", "kwasm/faults", "--bin", FAULTS]);
    Ok(cargo::program(&cargo::build(&mut command)?, FAULTS)?.to_owned())
}

/// Returns the command for the tests of the workspace, with the paths of everything built for them.
fn tests(places: &Places, supervisor: &Path, skips: &Path) -> Command {
    let mut command = cargo::command(&places.root);
    command.args(["test", "--workspace", "--locked"]).env("KWASM_CLUSTER_SUPERVISOR", supervisor);
    with_places(&mut command, places, skips);
    command
}

fn with_places(tests: &mut Command, places: &Places, skips: &Path) {
    tests
        .env("KWASM_COMPONENTS", places.components())
        .env("KWASM_DEV_CACHE", &places.cache)
        // A test that cannot run appends a line `NAME: REASON`.
        .env("KWASM_SKIPS", skips);
}

/// Tests the guests' pure logic on this machine's own target.
fn guest_tests(places: &Places) -> Result<()> {
    for workspace in places.wasm_workspaces() {
        let mut command = cargo::command(&workspace);
        command.args(["test", "--workspace", "--locked"]);
        process::run(command.env("CARGO_TARGET_DIR", places.target.join("guests-native")))?;
    }
    Ok(())
}

fn say(not_run: &[&str]) {
    report::title("not run");
    match not_run {
        [] => eprintln!("nothing: this machine ran every test"),
        lines => lines.iter().for_each(|line| eprintln!("{line}")),
    }
}
