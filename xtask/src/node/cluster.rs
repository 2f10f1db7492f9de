//! A cluster with a real node, in namespaces of its own, and commands that run in its network.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{cluster, home::Home, places::Places, process};

/// A cluster, which ends when its supervisor's standard input is closed.
pub(super) struct Cluster {
    /// unshare(1), which is in the network of the node itself, and with which everything in it ends.
    supervisor: Child,
    ready: Value,
    /// The node's programs.
    programs: PathBuf,
    /// What runs outside of the cluster: kubectl, and kwasm as on a laptop.
    home: Home,
}

/// A command's end and its outputs.
pub(super) struct Run {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    /// Returns what it has written, if it succeeded; else its error, as that of `what`.
    pub(super) fn success(self, what: &str) -> Result<String> {
        if self.code != Some(0) {
            bail!("{what}: {}", self.stderr.trim());
        }
        Ok(self.stdout)
    }
}

impl Cluster {
    /// Starts one with a node of these programs, and waits until pods can run.
    pub(super) fn start(places: &Places, programs: &Path, home: Home) -> Result<Self> {
        let supervisor = cluster::supervisor(places)?;
        let plane = process::output(cluster::command(places, &supervisor).arg("build"))?;
        let plane = plane.lines().next().context("no folder of a control plane")?;
        let mut unshare = Command::new("unshare");
        unshare
            .args(["--net", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child=KILL", "--"])
            // The first process of a namespace has to take in what loses its parent; a shell that waits does.
            .args(["sh", "-c", "\"$@\"; exit $?", "sh"])
            .arg(&supervisor)
            .args(["serve", "--built", plane, "--node"])
            .arg(programs)
            .env("KWASM_DEV_CACHE", &places.cache);
        let mut supervisor = unshare
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start `unshare`: util-linux has it")?;
        let mut line = String::new();
        let stdout = supervisor.stdout.take().context("a supervisor without output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).context("the supervisor said nothing")?;
        let cluster = Self { supervisor, ready, programs: programs.to_owned(), home };
        match cluster.ready["error"].as_str() {
            Some(error) => bail!("no cluster: {error}"),
            None => Ok(cluster),
        }
    }

    fn text(&self, key: &str) -> Result<&str> {
        self.ready
            .pointer(key)
            .and_then(Value::as_str)
            .with_context(|| format!("the supervisor told no {key}"))
    }

    /// Returns the certificate of the authority of the API server and of the registry.
    pub(super) fn authority(&self) -> Result<PathBuf> {
        Ok(self.text("/caFile")?.into())
    }

    /// Returns host and port of the registry, for pods and from outside.
    pub(super) fn registry(&self) -> Result<&str> {
        self.text("/registry")
    }

    /// Returns the status codes of what the API server answered when a user asked for the pods of all namespaces, as it logged them.
    pub(super) fn answers_to(&self, user: &str) -> Result<Vec<u64>> {
        let log = fs::read_to_string(self.text("/audit")?).context("cannot read the audit log")?;
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let asks = |event: &Value| {
            let object = &event["objectRef"];
            event["user"]["username"] == user && object["resource"] == "pods" && object["namespace"].is_null()
        };
        Ok(events.filter(asks).filter_map(|event| event["responseStatus"]["code"].as_u64()).collect())
    }

    /// Returns the folder of what runs outside.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Returns a command in the node's network, as an administrator, who trusts the registry too.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let mut command = self.home.command("nsenter")?;
        command.arg(format!("--net=/proc/{}/ns/net", self.supervisor.id())).arg("--").arg(program);
        command.env("KUBECONFIG", self.text("/users/admin")?).env("SSL_CERT_FILE", self.authority()?);
        command.stdin(Stdio::null());
        Ok(command)
    }

    /// Returns a command of busybox, which has what this machine may lack.
    pub(super) fn busybox(&self, words: &[&str]) -> Result<Command> {
        let mut command = self.command(self.programs.join("busybox"))?;
        command.args(words);
        Ok(command)
    }

    pub(super) fn kubectl(&self, words: &[&str]) -> Result<Command> {
        let mut command = self.command(self.text("/kubectl")?)?;
        command.args(words);
        Ok(command)
    }

    /// Runs kubectl, which has to succeed, and returns its output.
    pub(super) fn ask(&self, words: &[&str]) -> Result<String> {
        process::output(&mut self.kubectl(words)?)
    }

    /// Runs kubectl with an input, whatever comes of it.
    pub(super) fn feed(&self, words: &[&str], input: &str) -> Result<Run> {
        run_with(&mut self.kubectl(words)?, input)
    }

    /// Applies manifests, all of which the API server has to take.
    pub(super) fn apply(&self, manifests: &str) -> Result<()> {
        let run = self.feed(&["apply", "--server-side", "-f", "-"], manifests)?;
        print!("{}", run.stdout);
        run.success("kubectl apply").map(drop)
    }

    /// Returns a command of kwasm, as on a laptop.
    pub(super) fn kwasm(&self, words: &[&str]) -> Result<Command> {
        let mut command = self.command(self.home.kwasm()?.get_program())?;
        command.args(words);
        Ok(command)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        drop(self.supervisor.wait());
    }
}

/// Runs a command to its end, with its outputs kept.
pub(super) fn run(command: &mut Command) -> Result<Run> {
    let output = command.output().with_context(|| format!("cannot start `{}`", process::shown(command)))?;
    Ok(output.into())
}

/// The same with an input.
pub(super) fn run_with(command: &mut Command, input: &str) -> Result<Run> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
    let mut stdin = child.stdin.take().context("a command without input")?;
    // What does not read its input says why.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    Ok(child.wait_with_output()?.into())
}
