//! The embedded API server as a separate program.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use serde_json::Value;

/// The embedded API server, which ends when its standard input is closed.
pub(crate) struct ApiServer {
    child: Child,
    pub(crate) url: String,
    pub(crate) kubeconfig: PathBuf,
}

impl ApiServer {
    pub(crate) fn start(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().context("the API server has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("the API server said nothing")?;
        let ready: Value = serde_json::from_str(&line).context("the API server did not become ready")?;
        let text =
            |value: &Value| value.as_str().map(str::to_owned).context("the API server's line is incomplete");
        Ok(Self {
            child,
            url: text(&ready["url"])?,
            kubeconfig: text(&ready["kubeconfigs"]["certificate"])?.into(),
        })
    }
}

impl Drop for ApiServer {
    /// Ends the server and waits until it has cleaned up.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}
