//! Runs one plugin behind one gate.

mod answer;
mod attempts;
mod cache;
mod calls;
mod code;
mod command;
mod compiler;
mod engine;
mod entry;
mod error;
mod fault;
mod folders;
mod guards;
mod handler;
#[cfg(feature = "faults")]
mod holes;
mod http;
mod limits;
mod open_line;
mod pieces;
mod probe;
mod profile;
mod sockets;
mod state;
mod stay;
mod stdio;
mod tier;
mod verdict;
mod wasi3;
mod world;

use std::fmt::{self, Write as _};
use std::io;
use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use wasmtime::{Engine, Store};
use wasmtime_wasi::I32Exit;

pub use self::answer::Answer;
use self::cache::Cache;
pub use self::cache::{BUDGET, Kept};
use self::calls::Origins;
pub use self::calls::{Calls, Trap};
use self::code::Code;
use self::command::Command;
use self::compiler::{Bounds, Means};
pub use self::compiler::{Unwatched, Watcher};
use self::engine::Runner;
pub use self::engine::WASMTIME;
use self::entry::Entry;
pub use self::error::{Bound, Error, FolderError, Guard, Position};
pub use self::fault::Fault;
pub use self::folders::Folders;
pub use self::guards::Guards;
pub use self::handler::{Handler, Visit, Visits};
pub use self::open_line::OpenLine;
pub use self::probe::{Execution, probe};
pub use self::profile::{Profile, Profiler};
use self::state::State;
pub use self::stdio::{StreamFault, StreamFaults};
use self::tier::{Schedule, Tier};
pub use self::world::World;
use crate::defence::Defence;
use crate::environment::Environment;
use crate::gate::Gate;
use crate::inspect::Inspected;
use crate::platform::{self, Signals};
use crate::policy::{Limit, Limits};
use crate::store::{Places, Plugin};
pub use wasmtime_wasi_http::Error as HttpError;

/// A compiled plugin with everything that it is given.
pub struct Sandbox {
    code: Code,
    gate: Gate,
    inspected: Inspected,
    limits: Limits,
    name: String,
    profiler: Option<Profiler>,
    world: World,
}

/// The exit code after an interruption by the user (128 and SIGINT's 2, as in shells).
pub const INTERRUPTED: u8 = 130;

/// The ending of a run.
#[derive(Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The plugin exited with this code.
    Ended(u8),
    /// The user interrupted it.
    Interrupted,
    /// It exceeded a limit, in these calls.
    Limited(Limit, Calls),
    /// It trapped.
    Trapped(Trap),
}

/// Returns the message of an error with all its causes, but without the guest's backtrace.
fn causes(error: &wasmtime::Error) -> String {
    let texts = error.chain().filter_map(|cause| {
        let mut text = Cause::default();
        write!(text, "{cause}").is_ok().then_some(text.0)
    });
    texts.collect::<Vec<_>>().join(": ")
}

/// The text of a cause. wasmtime's backtrace, which is one too, is given up at its first line: what follows are the
/// plugin's own names, demangled without a bound.
#[derive(Default)]
struct Cause(String);

impl fmt::Write for Cause {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        if self.0.starts_with("error while executing at wasm backtrace") { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Compiles plugins and caches their machine code.
pub struct Compiler<'a> {
    places: &'a Places,
    schedule: Schedule,
    means: Means<'a>,
}

impl<'a> Compiler<'a> {
    /// Returns a compiler with the bounds and the schedule that the user sets in the environment.
    ///
    /// # Errors
    /// [`Error::Bounds`] for a value that is not one.
    pub fn new(
        places: &'a Places,
        environment: &Environment,
        watcher: &'a dyn Watcher,
    ) -> Result<Self, Error> {
        let (bounds, schedule) = (Bounds::of(environment)?, Schedule::of(environment)?);
        Ok(Self { places, schedule, means: Means { bounds, watcher } })
    }

    /// Compiles a plugin ahead of its first run, and checks that its imports can be resolved.
    ///
    /// # Errors
    /// If it cannot be compiled or an import cannot be resolved.
    pub fn prepare(&self, plugin: &Plugin) -> Result<(), Error> {
        let runner = Runner { stack: Limits::default().stack, calls: calls::CALLS, pool: None };
        let code = self.code(runner, plugin)?;
        let (engine, inspected) = (code.engine(), plugin.inspected());
        let linked = match inspected.run() {
            Some(_) => Command::link(engine, &code, inspected).map(drop),
            None => Entry::link(engine, &code, inspected).map(drop),
        };
        linked.map_err(|error| Error::link(plugin.name(), &error))
    }

    /// Compares the cached machine code of a plugin with compiling it now.
    ///
    /// # Errors
    /// If it cannot be compiled, or the folder of code cannot be used.
    pub fn compare(&self, plugin: &Plugin) -> Result<Kept, Error> {
        Cache::open(self.places)?.compare(plugin, self.means)
    }

    /// Returns whether a plugin is to be optimized in the background, and nobody is at it.
    #[must_use]
    pub fn is_to_optimize(&self, plugin: &Plugin) -> bool {
        self.schedule == Schedule::Background
            && Cache::open(self.places).is_ok_and(|cache| cache.waits_to_be_optimized(plugin))
    }

    /// Compiles a plugin with all optimizations, for its next runs. Waits until no other process does so for another plugin.
    ///
    /// # Errors
    /// If it cannot be compiled, or the code cannot be kept.
    pub fn optimize(&self, plugin: &Plugin) -> Result<(), Error> {
        let means = Means { bounds: self.means.bounds.in_background(), ..self.means };
        Cache::open(self.places)?.optimize(plugin, means)
    }

    fn code(&self, runner: Runner, plugin: &Plugin) -> Result<Code, Error> {
        Cache::open(self.places)?.load(runner, plugin, self.schedule, self.means)
    }
}

/// Removes machine code that no installed plugin needs, down to `budget` bytes. Returns how many bytes were
/// freed.
///
/// # Errors
/// If the folder cannot be read, or a file cannot be removed.
pub fn trim(places: &Places, budget: u64) -> io::Result<u64> {
    cache::trim(places, budget, None)
}

impl Sandbox {
    /// Maps the plugin's compiled code, after compiling it if necessary, and checks that its imports can be
    /// resolved. If there is a `profiler`, it records the run.
    ///
    /// # Errors
    /// If it cannot be compiled.
    pub fn new(
        plugin: &Plugin,
        compiler: &Compiler<'_>,
        gate: Gate,
        world: World,
        limits: Limits,
        profiler: Option<Profiler>,
    ) -> Result<Self, Error> {
        let calls = if profiler.is_some() { profile::CALLS } else { calls::CALLS };
        plugin.inspected().is_command().map_err(|source| Error::unfit(plugin, source))?;
        let code = compiler.code(Runner { stack: limits.stack, calls, pool: None }, plugin)?;
        let (inspected, name) = (plugin.inspected().clone(), plugin.name().to_owned());
        Ok(Self { code, gate, inspected, limits, name, profiler, world })
    }

    /// Returns whether its code is optimized.
    #[must_use]
    pub fn is_optimized(&self) -> bool {
        self.code.tier == Tier::Optimized
    }

    /// Runs the plugin until it ends, the user interrupts it, or its time is over.
    ///
    /// # Errors
    /// If an import cannot be resolved, or the system lacks a resource that a run requires.
    pub fn run(self) -> Result<Outcome, Error> {
        let engine = self.code.engine().clone();
        let command = Command::link(&engine, &self.code, &self.inspected)
            .map_err(|error| Error::link(&self.name, &error))?;
        let context = self.world.context().map_err(Error::system)?;
        let origins = Arc::new(Origins::of(&self.code));
        let mut store = Store::new(&engine, State::new(context, self.gate.clone(), self.limits, origins));
        store.limiter(State::limiter);
        limits::bound(&mut store, self.inspected.kind());
        store.set_epoch_deadline(1);
        // As with the linker: no one waits for code to be taken apart.
        mem::forget(self.code);
        let timeout = self.limits.timeout.filter(|_| Defence::Timeout.stands());
        let clock = match &self.profiler {
            Some(profiler) => Some(profiler.watch(&engine, &mut store)?),
            None => None,
        };
        // A profile is written however the run ends, by a signal too.
        let is_alone = !self.inspected.uses_network() && timeout.is_none() && clock.is_none();
        let outcome = if is_alone && platform::end_at_signals(INTERRUPTED).map_err(Error::system)? {
            run_alone(store, &command)
        } else {
            let ending = Ending { engine, gate: self.gate, profiler: self.profiler };
            run_beside(&ending, timeout, store, command)
        };
        drop(clock);
        outcome
    }
}

/// The handles by which a run is ended.
struct Ending {
    engine: Engine,
    gate: Gate,
    profiler: Option<Profiler>,
}

impl Ending {
    /// Makes a computing guest stop at its next loop.
    fn stop(&self) {
        if let Some(profiler) = &self.profiler {
            profiler.stop();
        }
        self.engine.increment_epoch();
    }
}

/// Runs a guest that can send nothing and has no time limit. When the user interrupts it, there is nothing to
/// abort or to report, so the system ends the process at once: that saves a thread and its supervision.
fn run_alone(mut store: Store<State>, command: &Command) -> Result<Outcome, Error> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(Error::system)?;
    let outcome = runtime.block_on(drive(&mut store, command));
    mem::forget((runtime, store));
    Ok(outcome)
}

/// Runs a guest on a thread of its own, on which it may compute or block in a write to a pipe that no one
/// reads. This thread drives network, timers and signals, so that the run can always be ended by the user or
/// its time limit.
fn run_beside(
    ending: &Ending,
    timeout: Option<Duration>,
    mut store: Store<State>,
    command: Command,
) -> Result<Outcome, Error> {
    let gate = &ending.gate;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::system)?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::listen().map_err(Error::system)?
    };
    let (tell, told) = oneshot::channel();
    let (guests_gate, handle) = (gate.clone(), runtime.handle().clone());
    let guest = thread::Builder::new().name("guest".to_owned()).spawn(move || {
        let outcome = handle.block_on(drive(&mut store, &command));
        // First, since the guest's ends of all bodies go with it.
        guests_gate.end();
        #[cfg(feature = "faults")]
        let store = holes::take_apart(store);
        // No one waits any more if the user ended the run.
        drop(tell.send(outcome));
        mem::forget(store);
    });
    guest.map_err(Error::system)?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            () = signals.came(), if Defence::Signals.stands() => Outcome::Interrupted,
            // It cannot be dropped unused but by a panic.
            outcome = told => outcome.unwrap_or_else(|_| Outcome::Trapped(Trap::plain("kwasm itself failed"))),
            limit = expired(timeout) => Outcome::Limited(limit, Calls::default()),
            () = gate.interrupted() => Outcome::Interrupted,
        }
    });
    gate.end();
    #[cfg(feature = "faults")]
    runtime.block_on(holes::linger());
    // No guest is waited for, since it may be blocked forever: it ends with the process at the latest. Until then
    // its runtime stays as it was.
    ending.stop();
    runtime.block_on(gate.settled());
    mem::forget(runtime);
    Ok(outcome)
}

/// Waits for the end of a run's time.
async fn expired(timeout: Option<Duration>) -> Limit {
    match timeout {
        Some(timeout) => {
            tokio::time::sleep(timeout).await;
            Limit::Timeout(timeout)
        }
        None => std::future::pending().await,
    }
}

async fn drive(store: &mut Store<State>, command: &Command) -> Outcome {
    match command.start(store).await {
        Ok(Ok(())) => Outcome::Ended(0),
        Ok(Err(())) => Outcome::Ended(1),
        Err(error) => ending(store, &error),
    }
}

/// Returns how a guest ended that did not return.
fn ending(store: &mut Store<State>, error: &wasmtime::Error) -> Outcome {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        // A code that a process cannot have is still no success.
        return Outcome::Ended(if *code == 0 { 0 } else { u8::try_from(*code).unwrap_or(1).max(1) });
    }
    let crowded = limits::crowded(store, error);
    let meter = store.data().meter();
    let calls = Calls::at(error, store.data().origins());
    if let Some(limit) = crowded {
        return Outcome::Limited(limit, calls);
    }
    if let Some(limit) = meter.limit(error) {
        return Outcome::Limited(limit, calls);
    }
    let trap = error.downcast_ref::<wasmtime::Trap>();
    match (trap, meter.met()) {
        // The epoch also ends if the ending of the run was already decided, and no one receives this result.
        (Some(wasmtime::Trap::Interrupt), _) => Outcome::Interrupted,
        // Where a reader goes, as `head` does, Rust's `println!` panics and so traps. For no filter is that an error.
        (Some(_), _) if platform::is_stdout_closed() => Outcome::Ended(0),
        (_, Some(limit)) => Outcome::Limited(limit, calls),
        (Some(trap), None) => Outcome::Trapped(Trap::new(trap.to_string(), calls)),
        (None, None) => Outcome::Trapped(Trap::new(causes(error), calls)),
    }
}
