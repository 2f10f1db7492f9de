//! A cluster as a test holds it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::assets::{Assets, Origin};
use crate::environment;
use crate::error::Error;
use crate::kubeconfig::User;
use crate::plane::alone;
use crate::ready::{Line, Ready};

/// A cluster of its own for a test. Dropping it ends it and waits until it is gone.
#[derive(Debug)]
pub struct Cluster {
    supervisor: Child,
    ready: Ready,
}

impl Cluster {
    /// Starts a cluster and waits until it is ready: with the controllers and kwok, that is when pods can be
    /// created and run on `node-1`, and the group `dev` has its permissions.
    ///
    /// The supervisor is the binary of this package: the one that `$KWASM_CLUSTER_SUPERVISOR` names,
    /// otherwise cargo builds it, which takes no time if nothing has changed.
    ///
    /// # Errors
    /// If the supervisor can't be built, or reports why there is no cluster.
    pub fn start(assets: &Assets) -> Result<Self, Error> {
        let supervisor = match environment::supervisor() {
            Some(built) => built,
            None => build_supervisor()?,
        };
        Self::start_by(&supervisor, assets)
    }

    /// Starts a cluster by the given binary of this package; otherwise the same as [`Cluster::start`].
    ///
    /// # Errors
    /// If the supervisor can't be run, or reports why there is no cluster.
    pub fn start_by(supervisor: &Path, assets: &Assets) -> Result<Self, Error> {
        let mut child = serve(supervisor, assets)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::at(supervisor))?;
        match first_line(&mut child) {
            Ok(ready) => Ok(Self { supervisor: child, ready }),
            Err(e) => {
                end(&mut child);
                Err(e)
            }
        }
    }

    /// Returns the address of the API server, e.g. `https://127.0.0.1:40123`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.ready.server
    }

    /// Returns the path of a user's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        self.ready.dir.join(crate::setup::file_of(user.name()))
    }

    /// Returns a command of kubectl, in the server's version, as admin, and with a cache of its own;
    /// `--kubeconfig` makes it another user's.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.ready.kubectl);
        alone(&mut command, &self.ready.dir, &self.kubeconfig(User::Admin));
        command
    }

    /// Returns the audit log: a line of JSON for each request, at level `Metadata`, with the attributes that
    /// the API server resolved. A request that is rejected before that leaves none.
    #[must_use]
    pub fn audit_log(&self) -> &Path {
        &self.ready.audit
    }

    /// Returns the cluster's folder, with a log for each program.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.ready.dir
    }

    /// Returns the oracle, if the assets have it: for each line `{"method", "url", "rules"?,
    /// "roleNamespace"?}` on its standard input, one with what the API server makes of the request and
    /// whether RBAC allows it.
    #[must_use]
    pub fn oracle(&self) -> Option<Command> {
        self.ready.oracle.as_ref().map(Command::new)
    }

    /// Returns all that the supervisor says of its cluster.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Returns the process that holds the cluster.
    #[must_use]
    pub fn supervisor_id(&self) -> u32 {
        self.supervisor.id()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        end(&mut self.supervisor);
    }
}

/// Returns the command that serves a cluster of `assets`.
pub(crate) fn serve(supervisor: &Path, assets: &Assets) -> Command {
    let mut command = Command::new(supervisor);
    let origin = match assets.origin() {
        Origin::Built => "--built",
        Origin::Given => "--given",
    };
    command.args(["serve", origin]).arg(assets.folder());
    command
}

/// Waits for the supervisor's line.
pub(crate) fn first_line(supervisor: &mut Child) -> Result<Ready, Error> {
    let mut line = String::new();
    if let Some(stdout) = supervisor.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).map_err(Error::at("supervisor"))?;
    }
    match serde_json::from_str(&line) {
        Ok(Line::Ready(ready)) => Ok(*ready),
        Ok(Line::Failed { error }) => Err(Error::Supervisor(error)),
        Err(_) => Err(Error::Supervisor(format!("the supervisor said no more than {line:?}"))),
    }
}

fn end(supervisor: &mut Child) {
    drop(supervisor.stdin.take());
    // Fails only if it has been waited for.
    let _status = supervisor.wait();
}

fn build_supervisor() -> Result<PathBuf, Error> {
    let cargo = environment::cargo();
    let output = Command::new(&cargo)
        .args(["build", "--quiet", "--message-format=json", "--bin=kwasm-cluster", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .stdin(Stdio::null())
        .output()
        .map_err(Error::at(&cargo))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::SupervisorBuild(complaint));
    }
    let messages = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    messages
        .flatten()
        .filter(|message| message["target"]["name"] == "kwasm-cluster")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| Error::SupervisorBuild("it named no executable".into()))
}
