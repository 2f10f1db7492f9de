//! Watches which functions a program enters: a breakpoint at the first instruction of each, taken away when it is met.
//!
//! All of it by ptrace(2) and proc(5) of Linux, on x86-64.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs::{self, OpenOptions},
    os::unix::{fs::FileExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use nix::{
    errno::Errno,
    sys::{
        ptrace::{self, Options},
        signal::{self, Signal},
        wait::{self, WaitPidFlag, WaitStatus},
    },
    unistd::Pid,
};
use object::{Object, ObjectSymbol, SymbolKind};

/// The instruction `int3`, at which a process stops.
const BREAKPOINT: u8 = 0xcc;

/// The functions of a program, by their addresses in its file.
pub(crate) struct Functions {
    names: BTreeMap<u64, Vec<String>>,
}

impl Functions {
    pub(crate) fn read(program: &Path) -> Result<Self> {
        let content = fs::read(program)?;
        let file =
            object::File::parse(&*content).with_context(|| format!("cannot read {}", program.display()))?;
        let mut names: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
            names.entry(symbol.address()).or_default().push(symbol.name()?.to_owned());
        }
        if names.is_empty() {
            bail!("{} names none of its functions", program.display());
        }
        Ok(Self { names })
    }

    /// Returns the names of the function at an address; several, where the linker found them to be the same.
    pub(crate) fn names(&self, address: u64) -> &[String] {
        self.names.get(&address).map_or(&[], Vec::as_slice)
    }
}

/// Runs a command, which is the program or a link to it, and returns the addresses of the functions that it enters, in the
/// order in which it does.
pub(crate) fn entered(command: &mut Command, program: &Path, functions: &Functions) -> Result<Vec<u64>> {
    let pid = start(command)?;
    let mut watch =
        Watch { root: pid, program: fs::canonicalize(program)?, functions, planted: None, order: Vec::new() };
    let status = watch.follow()?;
    match status {
        WaitStatus::Exited(_, 0) => Ok(watch.order),
        status => bail!("{command:?} failed while it was watched: {status:?}"),
    }
}

/// Starts a shell that stops itself and then becomes the command, so that it can be watched from its first instruction on.
fn start(command: &Command) -> Result<Pid> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", r#"kill -STOP $$; exec "$0" "$@""#])
        .arg(command.get_program())
        .args(command.get_args());
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.envs(set).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let child = shell.spawn().context("cannot start `sh`")?;
    let pid = Pid::from_raw(i32::try_from(child.id())?);
    wait::waitpid(pid, Some(WaitPidFlag::WUNTRACED))?;
    let options = Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    if let Err(error) = ptrace::seize(pid, options) {
        signal::kill(pid, Signal::SIGKILL)?;
        return Err(error).context("this system does not let one process watch another (ptrace)");
    }
    signal::kill(pid, Signal::SIGCONT)?;
    Ok(pid)
}

/// A process that is watched, with its threads and children.
struct Watch<'a> {
    root: Pid,
    program: PathBuf,
    functions: &'a Functions,
    /// The breakpoints, once the program is in memory.
    planted: Option<Planted>,
    order: Vec<u64>,
}

/// The breakpoints of a program that lies at this address, with the bytes that they stand for.
struct Planted {
    base: u64,
    bytes: BTreeMap<u64, u8>,
    met: BTreeSet<u64>,
}

impl Watch<'_> {
    /// Follows the process to its end, and returns how it ended.
    fn follow(&mut self) -> Result<WaitStatus> {
        let mut ended = None;
        loop {
            let status = match wait::waitpid(None, Some(WaitPidFlag::__WALL)) {
                Err(Errno::ECHILD) => return ended.context("it ended unseen"),
                status => status?,
            };
            let Some(pid) = status.pid() else { continue };
            let passed_on = match status {
                WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {
                    if pid == self.root {
                        ended = Some(status);
                    }
                    continue;
                }
                WaitStatus::PtraceEvent(_, _, event) if event == ptrace::Event::PTRACE_EVENT_EXEC as i32 => {
                    if pid == self.root && self.planted.is_none() {
                        self.planted = Some(Planted::plant(pid, &self.program, self.functions)?);
                    } else {
                        // Another program.
                        ptrace::detach(pid, None)?;
                        continue;
                    }
                    None
                }
                WaitStatus::Stopped(_, Signal::SIGTRAP) => self.met(pid)?,
                // Those of its start.
                WaitStatus::Stopped(_, Signal::SIGSTOP | Signal::SIGCONT) => None,
                WaitStatus::Stopped(_, signal) => Some(signal),
                _ => None,
            };
            match ptrace::cont(pid, passed_on) {
                // Ended meanwhile, which the next turn tells.
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Notes the function whose breakpoint a thread has met, and lets it enter. Returns the signal where it is none of ours.
    fn met(&mut self, pid: Pid) -> Result<Option<Signal>> {
        let Some(planted) = &mut self.planted else { return Ok(Some(Signal::SIGTRAP)) };
        let mut registers = ptrace::getregs(pid)?;
        let address = (registers.rip - 1).wrapping_sub(planted.base);
        let Some(byte) = planted.bytes.get(&address) else { return Ok(Some(Signal::SIGTRAP)) };
        if planted.met.insert(address) {
            self.order.push(address);
        }
        // In a child, too, which has a memory of its own.
        memory(pid)?.write_at(&[*byte], planted.base + address)?;
        registers.rip -= 1;
        ptrace::setregs(pid, registers)?;
        Ok(None)
    }
}

impl Planted {
    fn plant(pid: Pid, program: &Path, functions: &Functions) -> Result<Self> {
        let base = base(pid, program)?;
        let memory = memory(pid)?;
        let mut bytes = BTreeMap::new();
        for address in functions.names.keys() {
            let mut byte = [0];
            memory.read_exact_at(&mut byte, base + address)?;
            memory.write_at(&[BREAKPOINT], base + address)?;
            bytes.insert(*address, byte[0]);
        }
        Ok(Self { base, bytes, met: BTreeSet::new() })
    }
}

fn memory(pid: Pid) -> Result<fs::File> {
    Ok(OpenOptions::new().read(true).write(true).open(format!("/proc/{pid}/mem"))?)
}

/// Returns the address at which a process has a program.
fn base(pid: Pid, program: &Path) -> Result<u64> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let first = maps
        .lines()
        .find(|line| line.split_whitespace().nth(5).map(OsStr::new) == Some(program.as_os_str()))
        .with_context(|| format!("{} is not in memory", program.display()))?;
    let (address, _) = first.split_once('-').context("cannot read /proc/PID/maps")?;
    Ok(u64::from_str_radix(address, 16)?)
}
