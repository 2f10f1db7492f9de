//! Credential plugins: a program of the user's that says who asks (client-go, plugin/pkg/client/auth/exec).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync;

use super::super::document::{ExecEntry, ExecVariable, Text};
use super::super::secret::Secret;
use super::answer::Answer;
use super::error::{Fault, wrong};
use super::exec_cluster::{ClusterInfo, ExecCluster};
use super::kuberc::Kuberc;
use super::lookup::{clean, find};
use super::plugin::{Child, Plugin};
use super::{AuthMaterial, Error};
use crate::cli::Environment;

/// The variable by which a plugin is told what is asked of it.
const INFO: &str = "KUBERNETES_EXEC_INFO";

/// How long a credential that was had anew is not had anew again.
const PAUSE: Duration = Duration::from_secs(10);

const WHAT: &str = "the credential plugin";

/// How a user's credential plugin is run. It is run for all requests together, until what it said expires.
pub(super) struct Exec {
    shared: Arc<Shared>,
}

struct Shared {
    user: String,
    command: String,
    arguments: Vec<String>,
    /// What it is run in: by whose `PATH` it is found, whatever the entry says.
    environment: Arc<Environment>,
    /// The entry's own variables, for the plugin alone.
    own: Vec<ExecVariable>,
    version: &'static str,
    mode: Mode,
    hint: Option<String>,
    cluster: Option<ExecCluster>,
    kuberc: Kuberc,
    /// Held for as long as the plugin runs: all others wait for what it says.
    answer: Arc<sync::Mutex<Option<Answer>>>,
    child: Child,
    /// When a credential that was refused was last had anew.
    renewed: Mutex<Option<Instant>>,
}

/// Whether a plugin gets standard input.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Mode {
    Never,
    IfAvailable,
    Always,
}

/// What a plugin is asked.
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
    /// The plugin of a user's entry. Runs nothing.
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

    /// What the plugin said, as long as that holds; else what it says now.
    pub(super) async fn current(&self) -> Result<Arc<AuthMaterial>, Error> {
        self.asked(Answer::holds).await
    }

    /// What the plugin says after `refused`. Of those who were refused together, one asks it.
    /// It is run no oftener than every ten seconds for that: a server, or a pod behind it, that refuses whatever it is shown
    /// must not have the user log in again and again.
    pub(super) async fn renewed(&self, refused: &Arc<AuthMaterial>) -> Result<Arc<AuthMaterial>, Error> {
        if !self.shared.may_be_renewed() {
            return self.current().await;
        }
        self.asked(|answer| answer.holds() && !Arc::ptr_eq(&answer.material, refused)).await
    }

    /// Looks whether it could be run.
    pub(super) fn look(&self) -> Result<(), Error> {
        self.shared
            .interactive()
            .and_then(|_| self.shared.program())
            .map(drop)
            .map_err(|fault| self.shared.failed(fault))
    }

    /// Kills the plugin, if it runs.
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
    /// Runs the plugin, if it may be run, and gives what it prints.
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

    /// Whether it is not just now that it was, and if so takes it that it is now.
    fn may_be_renewed(&self) -> bool {
        // It is replaced as a whole.
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let may = renewed.is_none_or(|last| last.elapsed() >= PAUSE);
        if may {
            *renewed = Some(Instant::now());
        }
        may
    }

    /// Whether it gets standard input.
    fn interactive(&self) -> Result<bool, Fault> {
        match self.mode {
            Mode::Never => Ok(false),
            Mode::IfAvailable => Ok(self.environment.stdin_terminal),
            Mode::Always if !self.environment.stdin_terminal => Err(Fault::NoTerminal),
            Mode::Always => Ok(true),
        }
    }

    /// Where it is, if the user lets it be run.
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

/// The version in which a plugin is asked.
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
        // Before v1 nobody had to say.
        "" if version.ends_with("v1beta1") => Ok(Mode::IfAvailable),
        "" => Err("its interactiveMode is missing: Never, IfAvailable or Always"),
        _ => Err("its interactiveMode is not one of Never, IfAvailable and Always"),
    }
}

/// A hint as one line, and without what drives a terminal: anybody's kubeconfig may have one.
fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().filter(|c| !c.is_control()).collect()
}
