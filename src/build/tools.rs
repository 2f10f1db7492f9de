//! Runs the tools of a language: compilers and package managers, which are children of kwasm.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

use super::Error;
use crate::environment::Environment;
use crate::platform::{Signals, terminate};

/// The largest output that is read of a tool, in bytes. The longest is a list of a program's packages.
const LONGEST: u64 = 64 << 20;

/// How long a tool may go on after a signal.
const PATIENCE: Duration = Duration::from_secs(5);

/// The environment in which tools run, and the signals that end them.
pub(super) struct Tools {
    variables: BTreeMap<OsString, OsString>,
    runtime: Runtime,
    signals: Mutex<Signals>,
}

/// A call of a tool.
pub(super) struct Call {
    program: &'static str,
    arguments: Vec<OsString>,
    folder: PathBuf,
    variables: Vec<(&'static str, OsString)>,
}

/// The answer of a tool that may fail.
pub(super) struct Answer {
    pub(super) success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Call {
    /// Returns a call without arguments, in a folder.
    pub(super) fn new(program: &'static str, folder: &Path) -> Self {
        Self { program, arguments: Vec::new(), folder: folder.to_owned(), variables: Vec::new() }
    }

    /// Adds arguments.
    pub(super) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub(super) fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Returns the call for messages: the tool and its verb.
    pub(super) fn shown(&self) -> String {
        match self.arguments.first() {
            Some(verb) => format!("{} {}", self.program, verb.to_string_lossy()),
            None => self.program.to_owned(),
        }
    }
}

impl Tools {
    /// Prepares to run tools. From now on, a signal ends the tool that runs, and not kwasm itself.
    pub(super) fn new(environment: &Environment) -> Result<Self, Error> {
        let failed = |source| Error::System { call: "signals".to_owned(), source };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let signals = runtime.block_on(async { Signals::listen() }).map_err(failed)?;
        Ok(Self { variables: environment.variables.clone(), runtime, signals: Mutex::new(signals) })
    }

    /// Returns a variable of the environment in which tools run.
    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Runs a tool that prints to the user: its whole output is on stderr.
    ///
    /// # Errors
    /// [`Error::Failed`] if it fails. `None` if it is not installed.
    pub(super) fn show(&self, call: &Call) -> Result<Option<()>, Error> {
        let mut command = self.command(call);
        command.stdout(io::stderr()).stderr(Stdio::inherit());
        let Some(output) = self.run(call, &mut command)? else { return Ok(None) };
        succeeded(call, output.status).map(Some)
    }

    /// Runs a tool, and returns what it prints on stdout. Its stderr is kwasm's own.
    ///
    /// # Errors
    /// As for [`Tools::show`].
    pub(super) fn read(&self, call: &Call) -> Result<Option<String>, Error> {
        let mut command = self.command(call);
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let Some(output) = self.run(call, &mut command)? else { return Ok(None) };
        succeeded(call, output.status)?;
        text(call, output.stdout).map(Some)
    }

    /// Runs a tool that may fail, and returns what it prints.
    ///
    /// # Errors
    /// If it cannot be run, or its output cannot be read.
    pub(super) fn attempt(&self, call: &Call) -> Result<Option<Answer>, Error> {
        let mut command = self.command(call);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let Some(output) = self.run(call, &mut command)? else { return Ok(None) };
        let (stdout, stderr) = (text(call, output.stdout)?, text(call, output.stderr)?);
        Ok(Some(Answer { success: output.status.success(), stdout, stderr }))
    }

    /// Returns [`Error::Interrupted`] if a signal came while no tool was running.
    pub(super) fn check(&self) -> Result<(), Error> {
        let came = self.runtime.block_on(async {
            let mut signals = self.signals.lock().await;
            tokio::time::timeout(Duration::ZERO, signals.came()).await.is_ok()
        });
        if came { Err(Error::Interrupted) } else { Ok(()) }
    }

    fn command(&self, call: &Call) -> Command {
        let mut command = Command::new(call.program);
        command
            .args(&call.arguments)
            .current_dir(&call.folder)
            .env_clear()
            .envs(&self.variables)
            .envs(call.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Returns `None` if the tool is not installed.
    fn run(&self, call: &Call, command: &mut Command) -> Result<Option<Output>, Error> {
        let failed = |source| Error::System { call: call.shown(), source };
        self.runtime.block_on(async {
            let mut child = match command.spawn() {
                // A folder that is not there is the same error.
                Err(error) if error.kind() == io::ErrorKind::NotFound && call.folder.is_dir() => {
                    return Ok(None);
                }
                child => child.map_err(failed)?,
            };
            let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
            let mut signals = self.signals.lock().await;
            tokio::select! {
                () = signals.came() => {
                    // At a terminal it has got the signal too. It may remove what it wrote, and end what it started.
                    if let Some(id) = child.id() {
                        terminate(id);
                    }
                    drop(tokio::time::timeout(PATIENCE, child.wait()).await);
                    Err(Error::Interrupted)
                },
                ended = async { tokio::try_join!(read(call, stdout), read(call, stderr), async {
                    child.wait().await.map_err(failed)
                }) } => ended.map(|(stdout, stderr, status)| Some(Output { status, stdout, stderr })),
            }
        })
    }
}

async fn read(call: &Call, from: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let Some(from) = from else { return Ok(bytes) };
    let read = from.take(LONGEST + 1).read_to_end(&mut bytes).await;
    read.map_err(|source| Error::System { call: call.shown(), source })?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::TooMuch { call: call.shown(), limit: LONGEST });
    }
    Ok(bytes)
}

fn succeeded(call: &Call, status: ExitStatus) -> Result<(), Error> {
    if status.success() { Ok(()) } else { Err(Error::Failed { call: call.shown(), status }) }
}

fn text(call: &Call, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes)
        .map_err(|_| Error::Answer { call: call.shown(), why: "it is not UTF-8".to_owned() })
}
