//! The parts shared by the rows that need a cluster: kwasm in a home of its own, and a run whose memory is
//! watched.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{home::Home, places::Places, plane::ControlPlane, process};

/// The interval between two readings of the memory. The result is the peak, of which only the last moments
/// can be missed.
const GLANCE: Duration = Duration::from_millis(5);
/// The same for runs of some milliseconds, whose time is not measured meanwhile.
const SHORT_GLANCE: Duration = Duration::from_micros(200);
/// The number of short runs of which the highest peak is taken.
const SHORT_RUNS: usize = 5;

/// kwasm, the guests and a control plane.
pub(crate) struct Stage<'a> {
    places: &'a Places,
    pub(crate) home: Home,
    pub(crate) plane: Rc<ControlPlane>,
}

/// A finished run.
pub(crate) struct Run {
    pub(crate) took: Duration,
    pub(crate) stdout: String,
    /// The peak resident memory in bytes.
    pub(crate) memory: u64,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(places: &'a Places, kwasm: &Path) -> Result<Self> {
        Ok(Self {
            places,
            home: Home::new(places, "bench-cluster", kwasm)?,
            plane: Rc::new(ControlPlane::start(places)?),
        })
    }

    /// Returns another kwasm at the same control plane.
    pub(crate) fn beside(&self, kwasm: &Path) -> Result<Self> {
        let home = Home::new(self.places, "bench-beside", kwasm)?;
        Ok(Self { places: self.places, home, plane: Rc::clone(&self.plane) })
    }

    /// Returns a component's file.
    pub(crate) fn component(&self, name: &str) -> PathBuf {
        self.places.components().join(format!("{name}.wasm"))
    }

    /// Returns `kwasm run GUEST -- ARG…` with the user's full permissions.
    pub(crate) fn guest(&self, name: &str, arguments: &[&str]) -> Result<Command> {
        let mut command = self.home.kwasm()?;
        command.args(["run", "--policy", "cluster"]).arg(self.component(name)).arg("--").args(arguments);
        Ok(command)
    }

    /// Returns the same command for the control plane's administrator.
    pub(crate) fn admins_guest(&self, name: &str, arguments: &[&str]) -> Result<Command> {
        let mut command = self.guest(name, arguments)?;
        self.plane.as_admin(&mut command)?;
        Ok(command)
    }

    /// Returns the memory of a run that does nothing. It is not the first run, which compiles.
    pub(crate) fn idle_memory(&self) -> Result<u64> {
        self.sleep()?;
        self.sleep()
    }

    fn sleep(&self) -> Result<u64> {
        let mut command = self.guest("sleeps-forever", &[])?;
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        thread::sleep(Duration::from_secs(1));
        let memory = process::peak_memory(child.id());
        process::end(&mut child);
        memory.context("this system does not say how much memory a process has")
    }
}

impl Run {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Result<Self> {
        Self::watched(command, GLANCE)
    }

    fn watched(command: &mut Command, glance: Duration) -> Result<Self> {
        let start = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
        let watch = MemoryWatch::of(child.id(), glance);
        let output = child.wait_with_output()?;
        let took = start.elapsed();
        let memory = watch.end();
        if !output.status.success() {
            bail!("`{}` failed: {}", process::shown(command), output.status);
        }
        Ok(Self { took, stdout: String::from_utf8_lossy(&output.stdout).into_owned(), memory })
    }
}

/// Runs a command of some milliseconds to its end, several times. Returns the highest peak of its memory in bytes.
pub(crate) fn peak_memory(command: &mut Command) -> Result<u64> {
    let peaks = (0..SHORT_RUNS).map(|_| Ok(Run::watched(command, SHORT_GLANCE)?.memory));
    peaks.collect::<Result<Vec<_>>>()?.into_iter().max().context("it was not run")
}

/// Runs a command to its end, and keeps nothing of its output.
pub(crate) fn time(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let took = start.elapsed();
    if !status.success() {
        bail!("`{}` failed: {status}", process::shown(command));
    }
    Ok(took)
}

/// Watches a process's memory until it is stopped.
struct MemoryWatch {
    over: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: thread::JoinHandle<()>,
}

impl MemoryWatch {
    fn of(id: u32, glance: Duration) -> Self {
        let (over, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (seen_over, seen_peak) = (Arc::clone(&over), Arc::clone(&peak));
        let thread = thread::spawn(move || {
            while !seen_over.load(Ordering::Relaxed) {
                // A process that has just ended has none.
                seen_peak.fetch_max(process::peak_memory(id).unwrap_or(0), Ordering::Relaxed);
                thread::sleep(glance);
            }
        });
        Self { over, peak, thread }
    }

    fn end(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        // It cannot panic; if it did, it has seen nothing.
        drop(self.thread.join());
        self.peak.load(Ordering::Relaxed)
    }
}
