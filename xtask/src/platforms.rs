//! `cargo xtask platforms`: how far kwasm comes on the systems that this machine is not.

mod scenario;
mod system;

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Result, bail, ensure};

use self::system::{Runner, System};
use crate::{
    cargo,
    components::{self, Scope},
    cross::{self, Means},
    places::Places,
    process,
    report::Report,
};

pub(crate) const HELP: &str = "\
Compiles kwasm for the systems that this machine is not, and says how far each comes:
  aarch64-apple-darwin       checked, with its C code compiled by zig; linking needs Apple's SDK
  x86_64-apple-darwin        the same
  x86_64-pc-windows-gnu      built, and run by Wine, with kubectl at a real control plane too
  aarch64-unknown-linux-gnu  built, and run by QEMU
What runs are the unit tests, a plugin from a file, an installation, its links, that it is removed again,
and on Windows that an installation which is killed leaves nothing.

Usage: cargo xtask platforms [TARGET…]

Installs what it needs, on Debian as root: cross compilers, Wine, QEMU; zig from PyPI; the targets by
rustup. `cargo xtask lint platforms` checks one target of each system alone.";

/// A system for which kwasm is compiled here.
#[derive(Debug)]
struct Platform {
    target: &'static str,
    /// Whether every `cargo xtask lint` checks it: one for each system that the code knows. The others differ by processor.
    always: bool,
    runner: Option<Runner>,
}

const ALL: [Platform; 4] = [
    Platform { target: "aarch64-apple-darwin", always: true, runner: None },
    Platform { target: "x86_64-apple-darwin", always: false, runner: None },
    Platform { target: "x86_64-pc-windows-gnu", always: true, runner: Some(Runner::Wine) },
    Platform { target: "aarch64-unknown-linux-gnu", always: false, runner: Some(Runner::Qemu) },
];

/// Checks, or builds and runs, kwasm for these targets, or all, as far as each can be here.
///
/// # Errors
/// If a target is not known.
pub(crate) fn run(places: &Places, targets: &[String]) -> Result<ExitCode> {
    if let Some(unknown) = targets.iter().find(|target| ALL.iter().all(|known| known.target != *target)) {
        bail!("no target `{unknown}`; there are {}", ALL.map(|known| known.target).join(", "));
    }
    let mut report = Report::default();
    report.step("compilers, Wine and QEMU", || cross::set_up(places, Means::Run))?;
    report.step("guests", || components::build(places, Scope::Some(&scenario::GUESTS)))?;
    for platform in ALL {
        if targets.is_empty() || targets.iter().any(|named| named == platform.target) {
            match platform.runner {
                None => report.check(&format!("{}: checked", platform.target), || platform.check(places)),
                // If it fails, the others are still of interest.
                Some(runner) => drop(platform.run(places, runner, &mut report)),
            }
        }
    }
    report.print();
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Checks kwasm for macOS and Windows, as far as clippy does.
pub(crate) fn check(places: &Places) -> Result<()> {
    if let Err(error) = cross::set_up(places, Means::Check) {
        ensure!(!places.ci, error);
        eprintln!("not checked: {error:#}");
        return Ok(());
    }
    ALL.iter().filter(|platform| platform.always).try_for_each(|platform| platform.check(places))
}

impl Platform {
    fn check(&self, places: &Places) -> Result<()> {
        let mut clippy = self.cargo(places, "clippy")?;
        process::run(clippy.args(["--lib", "--bins", "--", "-Dwarnings"]))
    }

    fn run(&self, places: &Places, runner: Runner, report: &mut Report) -> Result<()> {
        let named = |what: &str| format!("{}: {what}", self.target);
        let program = report.step(&named("built"), || self.build(places))?;
        let system =
            report.step(&format!("{runner:?} started"), || System::start(places, runner, &program))?;
        report.check(&named("a plugin"), || scenario::plugin(&system, places));
        report.check(&named("unit tests"), || self.test(places, runner, &system));
        if matches!(runner, Runner::Wine) {
            report.check(&named("killed in an installation"), || scenario::killed(&system, places));
            let kubectl = report.step("kubectl.exe", || scenario::kubectl_for_windows(places))?;
            report.check(&named("kubectl"), || scenario::cluster(&system, places, &kubectl));
        }
        Ok(())
    }

    fn build(&self, places: &Places) -> Result<PathBuf> {
        // With a benchmark, dependencies have the features that the unit tests use them with, and are compiled once.
        let programs =
            cargo::build(self.cargo(places, "build")?.args(["--bin", "kwasm", "--bench", "judge"]))?;
        Ok(cargo::program(&programs, "kwasm")?.to_owned())
    }

    fn test(&self, places: &Places, runner: Runner, system: &System) -> Result<()> {
        let variable = format!("CARGO_TARGET_{}_RUNNER", self.target.replace('-', "_").to_uppercase());
        let mut tests = self.cargo(places, "test")?;
        tests.arg("--lib").env(variable, runner.words().join(" "));
        system.surround(&mut tests);
        if matches!(runner, Runner::Wine) {
            // It asks Go's program, of which Wine has none.
            tests.args(["--", "--skip", "every_edit_fits_the_standard_libraries_of_this_machine"]);
        }
        process::run(&mut tests)
    }

    fn cargo(&self, places: &Places, subcommand: &str) -> Result<Command> {
        let mut cargo = cross::command(places, subcommand, self.target)?;
        // Nobody debugs what is built here, and it would take gigabytes.
        cargo.arg("--quiet").env("CARGO_PROFILE_DEV_DEBUG", "false");
        Ok(cargo)
    }
}
