//! Compiles a plugin within bounds of time and memory, and shows the progress.
//!
//! wasmtime reports nothing while it compiles. But Cranelift has a hook for each pass over a function
//! ([`timing`]): it is used to count the functions, and to block a compilation that has reached a bound. The
//! blocked threads end with the process.

use std::any::Any;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cranelift_codegen::timing::{self, Pass, Profiler};

use super::engine;
use super::error::{Bound, Error, MEMORY, TIME};
use super::tier::Tier;
use crate::environment::Environment;
use crate::inspect::{self, Kind};
use crate::platform;
use crate::policy::{bytes, duration};
use crate::store::Plugin;

/// An observer of a compilation's progress.
pub trait Watcher {
    /// Reports the number of compiled functions, and the total.
    fn compiled(&self, functions: u64, of: u64);
}

/// An observer that does nothing.
pub struct Unwatched;

impl Watcher for Unwatched {
    fn compiled(&self, _: u64, _: u64) {}
}

/// The bounds of one compilation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Bounds {
    /// The memory in bytes by which the process may grow.
    memory: u64,
    /// The wall-clock time.
    time: Duration,
    /// The number of threads; 0 for as many as processors.
    threads: usize,
}

impl Default for Bounds {
    /// Returns twice the needs of the largest known programs: clang's 76 MB take 2.1 GB, and four minutes on
    /// two cores.
    fn default() -> Self {
        Self { memory: 4 << 30, time: Duration::from_mins(10), threads: 0 }
    }
}

impl Bounds {
    /// Reads the bounds that the user sets in the environment.
    ///
    /// # Errors
    /// [`Error::Bounds`] for a value that is not one.
    pub(super) fn of(environment: &Environment) -> Result<Self, Error> {
        let mut bounds = Self::default();
        if let Some(text) = environment.variable(MEMORY) {
            let memory = text.to_str().and_then(bytes).filter(|bytes| *bytes > 0);
            let example = "a number of bytes, such as 8Gi";
            bounds.memory = memory.ok_or(Error::Bounds { variable: MEMORY, example })?;
        }
        if let Some(text) = environment.variable(TIME) {
            let example = "a time, such as 30m";
            let time = text.to_str().and_then(duration);
            bounds.time = time.ok_or(Error::Bounds { variable: TIME, example })?;
        }
        Ok(bounds)
    }

    /// Returns the same bounds with half of the processors, for work that nobody waits for.
    pub(super) fn in_background(self) -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { threads: processors.div_ceil(2), ..self }
    }
}

/// The bounds of a compilation, and its observer.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) bounds: Bounds,
    pub(super) watcher: &'a dyn Watcher,
}

/// The interval at which time and memory are checked and the progress is shown.
const TICK: Duration = Duration::from_millis(50);

/// A piece of a plugin to compile.
pub(super) struct Job {
    pub(super) kind: Kind,
    pub(super) content: Bytes,
    pub(super) tier: Tier,
}

/// Validates the content of a plugin.
///
/// # Errors
/// [`Error::Unfit`] if it is not valid or needs features that kwasm does not run.
pub(super) fn validate(plugin: &Plugin, content: &[u8]) -> Result<(), Error> {
    let unfit = |source| Error::Unfit { plugin: plugin.name().to_owned(), source };
    // A fiftieth of the time, and wasmtime would find the same only when it comes to it.
    inspect::validate(content).map_err(unfit)
}

/// Compiles pieces of a valid plugin, within bounds for all of them together. Returns their machine code in the same order,
/// each with its tier.
///
/// # Errors
/// [`Error::Bound`], and [`Error::Compile`].
pub(super) fn compile(
    plugin: &Plugin,
    jobs: Vec<Job>,
    Means { bounds, watcher }: Means<'_>,
) -> Result<Vec<(Tier, Vec<u8>)>, Error> {
    let functions = jobs.iter().map(|job| inspect::functions(&job.content)).sum();
    let state = Arc::new(State::default());
    let pool = pool(bounds.threads, &state)?;
    let (tell, result) = mpsc::sync_channel(1);
    pool.spawn(move || {
        let codes =
            jobs.iter().map(|job| Ok((job.tier, job.compile()?))).collect::<wasmtime::Result<Vec<_>>>();
        // No one listens where a bound was reached meanwhile.
        drop(tell.send(codes));
    });
    let (started, before) = (Instant::now(), platform::memory_in_use().unwrap_or(0));
    loop {
        match result.recv_timeout(TICK) {
            Ok(codes) => return codes.map_err(|error| Error::compile(plugin, &error)),
            Err(RecvTimeoutError::Disconnected) => return Err(Error::system("the compiler failed")),
            Err(RecvTimeoutError::Timeout) => {
                watcher.compiled(state.compiled.load(Ordering::Relaxed).min(functions), functions);
            }
        }
        if let Some(bound) = bounds.reached(started, before) {
            state.held.store(true, Ordering::Relaxed);
            return Err(Error::Bound { plugin: plugin.name().to_owned(), bound });
        }
    }
}

impl Job {
    fn compile(&self) -> wasmtime::Result<Vec<u8>> {
        let engine = engine::compiler(self.tier)?;
        match self.kind {
            Kind::Component => engine.precompile_component(&self.content),
            Kind::Core => engine.precompile_module(&self.content),
        }
    }
}

impl Bounds {
    /// Returns the bound that a compilation has reached that began at this time and with this many bytes in
    /// use. Memory of an earlier, abandoned compilation is still in use.
    fn reached(self, started: Instant, before: u64) -> Option<Bound> {
        if started.elapsed() > self.time {
            return Some(Bound::Time(self.time));
        }
        let taken = platform::memory_in_use()?.saturating_sub(before);
        (taken > self.memory).then_some(Bound::Memory(self.memory))
    }
}

/// Returns a pool of threads, each of which reports its passes.
fn pool(threads: usize, state: &Arc<State>) -> Result<rayon::ThreadPool, Error> {
    let state = Arc::clone(state);
    let report = move |_| drop(timing::set_thread_profiler(Box::new(Reporter(Arc::clone(&state)))));
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("compiler {index}"))
        .start_handler(report)
        .build()
        .map_err(Error::system)
}

/// The state shared by a compilation and its caller.
#[derive(Default)]
struct State {
    /// The number of compiled functions.
    compiled: AtomicU64,
    /// Whether it must not continue.
    held: AtomicBool,
}

struct Reporter(Arc<State>);

impl Profiler for Reporter {
    fn start_pass(&self, pass: Pass) -> Box<dyn Any> {
        while self.0.held.load(Ordering::Relaxed) {
            thread::park();
        }
        if pass == Pass::compile { Box::new(Compiling(Arc::clone(&self.0))) } else { Box::new(()) }
    }
}

/// A function being compiled, counted as done when this is dropped.
struct Compiling(Arc<State>);

impl Drop for Compiling {
    fn drop(&mut self) {
        self.0.compiled.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variable: &str, value: &str) -> Result<Bounds, Error> {
        let variables = [(variable.into(), value.into())].into();
        Bounds::of(&Environment { variables, ..Environment::default() })
    }

    #[test]
    fn bounds_are_those_of_the_environment() {
        assert_eq!(Bounds::of(&Environment::default()).unwrap(), Bounds::default());
        assert_eq!(read(MEMORY, "8Gi").unwrap(), Bounds { memory: 8 << 30, ..Bounds::default() });
        assert_eq!(read(TIME, "30m").unwrap(), Bounds { time: Duration::from_mins(30), ..Bounds::default() });
    }

    #[test]
    fn a_value_that_is_no_bound_is_refused_by_name() {
        for (variable, value) in [(MEMORY, "much"), (MEMORY, "0"), (TIME, "5"), (TIME, "0s")] {
            let error = read(variable, value).unwrap_err().to_string();
            assert!(error.contains(variable), "{error}");
        }
    }
}
