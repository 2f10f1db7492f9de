//! `cargo xtask cluster`: runs the real control plane by its own program.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

use crate::{cargo, places::Places};

const PROGRAM: &str = "kwasm-cluster";

pub(crate) fn run(places: &Places, arguments: &[OsString]) -> Result<ExitCode> {
    let supervisor = supervisor(places)?;
    let status = command(places, &supervisor)
        .args(arguments)
        .status()
        .with_context(|| format!("cannot start {}", supervisor.display()))?;
    // Its own messages have explained the error.
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds the program that starts and supervises control planes.
pub(crate) fn supervisor(places: &Places) -> Result<PathBuf> {
    Ok(cargo::program(&cargo::build_dev(places, &[PROGRAM])?, PROGRAM)?.to_owned())
}

/// Returns a command of the supervisor with its settings.
pub(crate) fn command(places: &Places, supervisor: &Path) -> Command {
    let mut command = Command::new(supervisor);
    command.env("KWASM_DEV_CACHE", &places.cache);
    command
}
