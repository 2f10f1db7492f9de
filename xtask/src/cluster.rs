//! `cargo xtask cluster`: the real control plane, by its own program.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{cargo, places::Places, process};

const PROGRAM: &str = "kwasm-cluster";

pub(crate) fn run(places: &Places, arguments: &[OsString]) -> Result<ExitCode> {
    let supervisor = supervisor(places)?;
    let status = command(places, &supervisor)
        .args(arguments)
        .status()
        .with_context(|| format!("cannot start {}", supervisor.display()))?;
    // Its own messages have said what was wrong.
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds the program that starts and supervises control planes.
pub(crate) fn supervisor(places: &Places) -> Result<PathBuf> {
    Ok(cargo::program(&cargo::build_dev(places, &[PROGRAM])?, PROGRAM)?.to_owned())
}

/// The supervisor with what it needs to know.
pub(crate) fn command(places: &Places, supervisor: &Path) -> Command {
    let mut command = Command::new(supervisor);
    command.env("KWASM_DEV_CACHE", &places.cache);
    command
}

/// A control plane that ends when its supervisor's standard input is closed.
pub(crate) struct ControlPlane {
    supervisor: Child,
    pub(crate) kubectl: PathBuf,
    pub(crate) admin: PathBuf,
    user: PathBuf,
}

impl ControlPlane {
    pub(crate) fn start(places: &Places) -> Result<Self> {
        let program = supervisor(places)?;
        process::run(command(places, &program).arg("build"))?;
        let mut supervisor = command(places, &program)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the supervisor")?;
        let stdout = supervisor.stdout.take().context("the supervisor has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).context("the control plane did not become ready")?;
        let path =
            |value: &Value| value.as_str().map(PathBuf::from).context("the supervisor's line is incomplete");
        Ok(Self {
            supervisor,
            kubectl: path(&ready["kubectl"])?,
            admin: path(&ready["users"]["admin"])?,
            user: path(&ready["users"]["carol"])?,
        })
    }

    /// The user for whom all is tried: by a client certificate, as most clusters give them out.
    pub(crate) fn as_user<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("KUBECONFIG", &self.user)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        drop(self.supervisor.wait());
    }
}
