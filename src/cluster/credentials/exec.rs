//! Credential plugins: a program of the user's that prints credentials (client-go,
//! plugin/pkg/client/auth/exec).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync;

use super::super::document::{ExecEntry, ExecVariable, Text};
use super::super::secret::Secret;
use super::Error;
use super::answer::Answer;
use super::error::{Fault, wrong};
use super::exec_cluster::{ClusterInfo, ExecCluster};
use super::kuberc::Kuberc;
use super::lookup::{clean, find};
use super::material::AuthMaterial;
use super::plugin::{Child, Plugin};
use crate::environment::Environment;

/// The environment variable with the request to a plugin.
const INFO: &str = "KUBERNETES_EXEC_INFO";

/// The time during which a renewed credential is not renewed again.
const PAUSE: Duration = Duration::from_secs(10);

const WHAT: &str = "the credential plugin";

/// A user's credential plugin. It runs once for all requests, until its credential expires.
pub(super) struct Exec {
    shared: Arc<Shared>,
}

struct Shared {
    user: String,
    command: String,
    arguments: Vec<String>,
    /// The environment in which it runs. Its `PATH` is used to find the plugin, whatever the entry's own
    /// variables are.
    environment: Arc<Environment>,
    /// The entry's own variables, for the plugin only.
    own: Vec<ExecVariable>,
    version: &'static str,
    mode: Mode,
    hint: Option<String>,
    cluster: Option<ExecCluster>,
    kuberc: Kuberc,
    /// The credential, locked while the plugin runs, so that all others wait for its output.
    answer: Arc<sync::Mutex<Option<Answer>>>,
    child: Child,
    /// The time at which a refused credential was last renewed.
    renewed: Mutex<Option<Instant>>,
}

/// The cases in which a plugin gets standard input.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Mode {
    Never,
    IfAvailable,
    Always,
}

/// The request to a plugin.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    kind: &'static str,
    api_version: &'a str,
    spec: Spec,
}

#[derive(Serialize)]
struct Spec {
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<ClusterInfo>,
    interactive: bool,
}

impl Exec {
    /// Returns the plugin of a user's entry, without running it.
    pub(super) fn of(
        user: &str,
        entry: &ExecEntry,
        cluster: ExecCluster,
        environment: &Arc<Environment>,
    ) -> Result<Self, Error> {
        if entry.command.is_empty() {
            return Err(wrong(user, WHAT, "its command is missing"));
        }
        let version = version(entry.api_version.as_deref()).map_err(|why| wrong(user, WHAT, why))?;
        let mode = mode(entry.interactive_mode.as_deref(), version).map_err(|why| wrong(user, WHAT, why))?;
        if entry.env.iter().flatten().any(|variable| variable.name.is_empty()) {
            return Err(wrong(user, WHAT, "a variable of its env has no name"));
        }
        let arguments = entry.args.iter().flatten().map(|Text(text)| text.clone());
        let shared = Shared {
            user: user.to_owned(),
            command: clean(&entry.command),
            arguments: arguments.collect(),
            environment: Arc::clone(environment),
            own: entry.env.clone().unwrap_or_default(),
            version,
            mode,
            hint: entry.install_hint.as_deref().map(one_line).filter(|hint| !hint.is_empty()),
            cluster: (entry.provide_cluster_info == Some(true)).then_some(cluster),
            kuberc: Kuberc::of(environment),
            answer: Arc::default(),
            child: Child::default(),
            renewed: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Returns the plugin's credential while it is valid, or else runs it.
    pub(super) async fn current(&self) -> Result<Arc<AuthMaterial>, Error> {
        self.asked(Answer::holds).await
    }

    /// Returns a new credential after `refused`. Of several concurrent callers, one runs the plugin. It runs
    /// at most once in ten seconds: a server, or a pod behind it, that refuses every credential must not make
    /// the user log in again and again.
    pub(super) async fn renewed(&self, refused: &Arc<AuthMaterial>) -> Result<Arc<AuthMaterial>, Error> {
        if !self.shared.may_be_renewed() {
            return self.current().await;
        }
        self.asked(|answer| answer.holds() && !Arc::ptr_eq(&answer.material, refused)).await
    }

    /// Checks that it could be run.
    pub(super) fn look(&self) -> Result<(), Error> {
        self.shared
            .interactive()
            .and_then(|_| self.shared.program())
            .map(drop)
            .map_err(|fault| self.shared.failed(fault))
    }

    /// Kills the plugin if it is running.
    pub(super) fn end(&self) {
        self.shared.child.end();
    }

    async fn asked(&self, is_good: impl Fn(&Answer) -> bool) -> Result<Arc<AuthMaterial>, Error> {
        let mut answer = Arc::clone(&self.shared.answer).lock_owned().await;
        if let Some(good) = answer.as_ref().filter(|answer| is_good(answer)) {
            return Ok(Arc::clone(&good.material));
        }
        let shared = Arc::clone(&self.shared);
        // Apart from who asked: a guest that waits no longer must not end a login that others wait for.
        let run = tokio::spawn(async move {
            let last = answer.as_ref().and_then(|answer| answer.material.certificate.clone());
            let printed = shared.run().await?;
            let new = Answer::read(&shared.user, shared.version, printed.reveal(), last.as_ref())?;
            let material = Arc::clone(&new.material);
            *answer = Some(new);
            Ok(material)
        });
        // It can only be cancelled by the end of all.
        run.await.unwrap_or(Err(Fault::Unfinished)).map_err(|fault| self.shared.failed(fault))
    }
}

impl Shared {
    /// Runs the plugin, if that is allowed, and returns its output.
    async fn run(&self) -> Result<Secret, Fault> {
        let interactive = self.interactive()?;
        let cluster = self.cluster.as_ref().map(ExecCluster::info).transpose().map_err(Fault::Authority)?;
        let request = Request {
            kind: "ExecCredential",
            api_version: self.version,
            spec: Spec { cluster, interactive },
        };
        let request = serde_json::to_string(&request).map_err(|error| Fault::Run(error.into()))?;
        let program = self.program()?;
        let mut variables = self.environment.variables.clone();
        let value = |variable: &ExecVariable| variable.value.as_ref().map_or("", Secret::reveal).into();
        variables.extend(self.own.iter().map(|variable| (variable.name.clone().into(), value(variable))));
        variables.insert(INFO.into(), request.into());
        let plugin =
            Plugin { program: &program, arguments: &self.arguments, variables: &variables, interactive };
        plugin.run(&self.child).await
    }

    /// Returns whether enough time has passed since the last renewal, and if so records a new one.
    fn may_be_renewed(&self) -> bool {
        // It is replaced as a whole.
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let may = renewed.is_none_or(|last| last.elapsed() >= PAUSE);
        if may {
            *renewed = Some(Instant::now());
        }
        may
    }

    /// Returns whether it gets standard input.
    fn interactive(&self) -> Result<bool, Fault> {
        match self.mode {
            Mode::Never => Ok(false),
            Mode::IfAvailable => Ok(self.environment.stdin_terminal),
            Mode::Always if !self.environment.stdin_terminal => Err(Fault::NoTerminal),
            Mode::Always => Ok(true),
        }
    }

    /// Returns the path of the program, if the user allows it to run.
    fn program(&self) -> Result<PathBuf, Fault> {
        let variable = |name| self.environment.variable(name);
        let find = |command: &str| find(command, variable("PATH"), variable("PATHEXT"));
        let program = find(&self.command);
        let policy = self.kuberc.policy().map_err(Fault::Kuberc)?;
        policy
            .allows(&self.command, program.as_deref(), find)
            .map_err(|why| Fault::Denied { file: self.kuberc.file().to_owned(), why })?;
        program.ok_or_else(|| {
            let is_path = self.command.contains(std::path::is_separator);
            if is_path && Path::new(&self.command).is_file() {
                return Fault::NotExecutable;
            }
            Fault::Missing { hint: self.hint.clone() }
        })
    }

    fn failed(&self, fault: Fault) -> Error {
        Error::Plugin { command: self.command.clone(), user: self.user.clone(), fault: Box::new(fault) }
    }
}

/// Returns the version of the request to a plugin.
fn version(asked: Option<&str>) -> Result<&'static str, String> {
    const KNOWN: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
    let [v1, v1beta1] = KNOWN;
    match asked.filter(|version| !version.is_empty()) {
        None => Err(format!("its apiVersion is missing: {v1} or {v1beta1}")),
        Some(asked) => KNOWN
            .into_iter()
            .find(|known| *known == asked)
            .ok_or_else(|| format!("its apiVersion is neither {v1} nor {v1beta1}")),
    }
}

fn mode(asked: Option<&str>, version: &str) -> Result<Mode, &'static str> {
    match asked.unwrap_or_default() {
        "Never" => Ok(Mode::Never),
        "IfAvailable" => Ok(Mode::IfAvailable),
        "Always" => Ok(Mode::Always),
        // Before v1, the field was optional.
        "" if version.ends_with("v1beta1") => Ok(Mode::IfAvailable),
        "" => Err("its interactiveMode is missing: Never, IfAvailable or Always"),
        _ => Err("its interactiveMode is not one of Never, IfAvailable and Always"),
    }
}

/// Returns a hint as one line, without control characters: a kubeconfig may come from anyone.
fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().filter(|c| !c.is_control()).collect()
}
