//! One run of a credential plugin: a child that does not outlive its caller.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::io::AsyncReadExt as _;
use tokio::process::{self, ChildStdout, Command};
use zeroize::Zeroizing;

use super::super::secret::Secret;
use super::error::Fault;

/// The largest output of a plugin in bytes. A token has some KiB, a certificate with its key a few more.
const MOST: u64 = 1 << 20;

/// The program to run.
pub(super) struct Plugin<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [String],
    pub(super) variables: &'a BTreeMap<OsString, OsString>,
    /// Whether it gets standard input. If not, it gets none, since piped input is for the guest.
    pub(super) interactive: bool,
}

/// The running child, for the function that ends it.
#[derive(Default)]
pub(super) struct Child(Mutex<State>);

#[derive(Default)]
struct State {
    child: Option<process::Child>,
    /// Whether the run is over, so that nothing may be started.
    over: bool,
}

impl Plugin<'_> {
    /// Runs it to its end and returns its output. Its stderr is kwasm's own.
    pub(super) async fn run(&self, child: &Child) -> Result<Secret, Fault> {
        let mut command = Command::new(self.program);
        command
            .args(self.arguments)
            .env_clear()
            .envs(self.variables)
            .stdin(if self.interactive { Stdio::inherit() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let output = child.start(&mut command)?;
        let read = read(output).await;
        if read.is_err() {
            child.kill();
        }
        let status = child.ended().await?;
        let printed = read?;
        match (status.success(), status.code()) {
            (true, _) => Ok(printed),
            (false, Some(code)) => Err(Fault::Code(code)),
            (false, None) => Err(Fault::Killed),
        }
    }
}

/// Reads the whole output, up to the limit.
async fn read(output: ChildStdout) -> Result<Secret, Fault> {
    let mut bytes = Zeroizing::new(Vec::new());
    output.take(MOST + 1).read_to_end(&mut bytes).await.map_err(Fault::Run)?;
    if bytes.len() as u64 > MOST {
        return Err(Fault::TooMuch);
    }
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Fault::Answer("its output is not UTF-8".to_owned()))?;
    Ok(Secret::from(text.to_owned()))
}

impl Child {
    fn start(&self, command: &mut Command) -> Result<ChildStdout, Fault> {
        let mut state = self.state();
        if state.over {
            return Err(Fault::Killed);
        }
        let mut child = command.spawn().map_err(Fault::Run)?;
        let output = child.stdout.take().ok_or_else(|| Fault::Run(io::ErrorKind::BrokenPipe.into()))?;
        state.child = Some(child);
        Ok(output)
    }

    /// Kills it and prevents others from starting. Does so at once, since the process is about to end and no
    /// task may be left to wait.
    pub(super) fn end(&self) {
        self.state().over = true;
        self.kill();
    }

    fn kill(&self) {
        if let Some(child) = &mut self.state().child {
            // It may have ended by itself.
            drop(child.start_kill());
        }
    }

    /// Waits for its end.
    async fn ended(&self) -> Result<ExitStatus, Fault> {
        let status = poll_fn(|context| match &mut self.state().child {
            // The lock is not held between two polls, so that it can be killed meanwhile.
            Some(child) => pin!(child.wait()).poll(context).map_err(Fault::Run),
            None => Poll::Ready(Err(Fault::Killed)),
        })
        .await;
        self.state().child = None;
        status
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of it is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
