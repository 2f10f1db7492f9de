//! One running program, which ends with this process however that ends.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;

/// The timeout for a program to end when its lifeline is cut. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest part of a log that an error shows, in bytes.
const LOG_SHOWN: usize = 2048;

/// A shell script that runs a program without a lifeline. Its watcher reads standard input, which ends with
/// this process, and then ends the program and removes the folder. If the shell is killed, the watcher
/// remains; if the program ends by itself, neither remains.
const GUARD: &str = r#"
folder=$1
shift
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{ read -r _ <&3; kill -9 "$program"; cd /; rm -rf "$folder"; } 2>/dev/null &
watcher=$!
exec 3<&-
wait "$program"
status=$?
[ "$status" -eq 137 ] || kill "$watcher" 2>/dev/null
wait "$watcher"
exit "$status"
"#;

/// A program with its output in a log. Dropping it ends the program.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// Closed by the system when this process ends in any way.
    lifeline: Option<ChildStdin>,
}

/// Returns a command that ends when its standard input does, although the program does not know that, and
/// removes a folder: on Unix, which has `sh`.
pub(crate) fn guarded(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", GUARD, "sh"]).arg(folder).arg(program);
    command
}

impl Process {
    /// Starts a program that ends with its standard input.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self, Error> {
        let out = File::create(log).map_err(Error::at(log))?;
        let err = out.try_clone().map_err(Error::at(log))?;
        let program = command.get_program().to_owned();
        let mut child =
            command.stdin(Stdio::piped()).stdout(out).stderr(err).spawn().map_err(Error::at(program))?;
        let lifeline = child.stdin.take();
        Ok(Self { child, log: log.to_owned(), lifeline })
    }

    /// Waits until the log holds what `find` looks for.
    pub(crate) fn wait_for<T>(
        &mut self,
        time: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + time;
        loop {
            // Before the log is read: what a program says last is then in it.
            let ended = self.ended();
            let log = fs::read(&self.log).map_err(Error::at(&self.log))?;
            let log = String::from_utf8_lossy(&log);
            if let Some(found) = find(&log) {
                return Ok(found);
            }
            let shown =
                || log[log.floor_char_boundary(log.len().saturating_sub(LOG_SHOWN))..].trim().to_owned();
            if let Some(status) = ended {
                return Err(Error::Ended { status, log: shown() });
            }
            if Instant::now() > deadline {
                return Err(Error::Late { seconds: time.as_secs(), log: shown() });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let deadline = Instant::now() + PATIENCE;
        while self.ended().is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        // Both fail only if the program has ended.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}
