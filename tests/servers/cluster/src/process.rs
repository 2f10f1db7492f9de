//! One running program, which ends with its supervisor however that ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::assets::Origin;
use crate::error::Error;

/// By this variable our own programs know that their standard input is their lifeline.
const SUPERVISED: &str = "KWASM_CLUSTER_SUPERVISED";
/// The timeout for a program to end when its lifeline is cut. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest part of a log that an error shows, in bytes.
const LOG_SHOWN: usize = 2048;

/// A program to be started.
pub(crate) struct Launch {
    /// Its name, which is its log's too.
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) origin: Origin,
}

/// A program of the cluster. Dropping it ends the program.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    /// Closed by the system when this process ends in any way. Only our own programs watch it.
    lifeline: Option<ChildStdin>,
}

impl Process {
    /// Starts a program in `dir`, with its output in `PROGRAM.log` there.
    ///
    /// To be called on the main thread: where the lifeline is Linux's parent-death signal, it comes when the
    /// *thread* that started the program ends.
    pub(crate) fn start(launch: Launch, arguments: &[String], dir: &Path) -> Result<Self, Error> {
        let Launch { name, path, origin } = launch;
        let log = dir.join(format!("{name}.log"));
        let out = File::create(&log).map_err(Error::at(&log))?;
        let err = out.try_clone().map_err(Error::at(&log))?;
        let mut command = match origin {
            Origin::Built => Command::new(&path),
            Origin::Given => dying_with_parent(&path),
        };
        command.args(arguments).current_dir(dir).stdout(out).stderr(err);
        match origin {
            Origin::Built => command.env(SUPERVISED, "1").stdin(Stdio::piped()),
            Origin::Given => command.stdin(Stdio::null()),
        };
        apart(&mut command);
        let mut child = command.spawn().map_err(Error::at(&path))?;
        let lifeline = child.stdin.take();
        Ok(Self { name, child, log, lifeline })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the exit status, if the program has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Returns the end of the program's log.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_SHOWN)..]).trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.lifeline.take().is_some() {
            // The program takes with it what it has started itself, which a kill from here would leave.
            let deadline = Instant::now() + PATIENCE;
            while self.ended().is_none() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(5));
            }
        }
        // Both fail only if the program has ended.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Puts a command into a process group of its own: the terminal's Ctrl-C is for the supervisor alone.
#[cfg(unix)]
pub(crate) fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

/// Puts a command into a process group of its own: the console's Ctrl-C is for the supervisor alone.
#[cfg(windows)]
pub(crate) fn apart(command: &mut Command) {
    use std::os::windows::process::CommandExt as _;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0200;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

/// Lets a program that knows nothing of us end with us, where the system can do that.
#[cfg(target_os = "linux")]
fn dying_with_parent(program: &Path) -> Command {
    const DEATH: [&str; 2] = ["--pdeathsig", "KILL"];
    // Busybox has a setpriv that can't do it.
    let can = Command::new("setpriv").args(DEATH).arg("true").stderr(Stdio::null()).status();
    if can.is_ok_and(|status| status.success()) {
        let mut command = Command::new("setpriv");
        command.args(DEATH).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Returns a plain command: on this platform, a foreign program survives a killed supervisor.
#[cfg(not(target_os = "linux"))]
fn dying_with_parent(program: &Path) -> Command {
    Command::new(program)
}
