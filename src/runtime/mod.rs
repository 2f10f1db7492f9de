//! Runs one plugin behind one gate.

mod cache;
mod code;
mod command;
mod compiler;
mod engine;
#[cfg(feature = "faults")]
mod holes;
mod http;
mod limits;
mod open_line;
mod sockets;
mod state;
mod stdio;
mod world;

use std::io;
use std::mem;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use wasmtime::{Engine, Store};
use wasmtime_wasi::I32Exit;

use self::cache::Cache;
pub use self::cache::{BUDGET, Kept};
use self::code::Code;
use self::command::Command;
pub use self::compiler::{Bound, Bounds, Unwatched, Watcher};
pub use self::engine::WASMTIME;
pub use self::open_line::OpenLine;
use self::state::State;
pub use self::stdio::{StreamFault, StreamFaults};
pub use self::world::World;
use crate::defence::{Defence, stands};
use crate::gate::Gate;
use crate::inspect::{self, Inspected};
use crate::message::Explain;
use crate::platform::{self, Signals};
use crate::policy::{Limit, Limits};
use crate::store::{self, Places, Plugin};

/// A plugin, compiled, with all that it is given.
pub struct Sandbox {
    engine: Engine,
    code: Code,
    gate: Gate,
    inspected: Inspected,
    limits: Limits,
    name: String,
    world: World,
}

/// The code of a process that the user ended (128 and SIGINT's 2, as shells have it).
pub const INTERRUPTED: u8 = 130;

/// How a run ended.
#[derive(Debug, Eq, PartialEq)]
pub enum Outcome {
    /// By itself, with this code.
    Ended(u8),
    /// By the user.
    Interrupted,
    /// By a limit of its run.
    Limited(Limit),
    /// By a trap, with its cause.
    Trapped(String),
}

/// Why a plugin could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Compiling it was given up.
    #[error("{plugin}: {bound}, and was stopped")]
    Bound {
        /// The plugin.
        plugin: String,
        /// What it ran into.
        bound: Bound,
    },
    /// A variable of the environment does not set a bound.
    #[error("{variable}: its value is not {example}")]
    Bounds {
        /// The variable.
        variable: &'static str,
        /// What a value is.
        example: &'static str,
    },
    /// A folder of the cache cannot be used.
    #[error("{}: kwasm cannot use it", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// wasmtime does not compile the content.
    #[error("{plugin}: it does not compile: {reason}")]
    Compile {
        /// The plugin.
        plugin: String,
        /// What wasmtime says.
        reason: String,
    },
    /// It imports what kwasm does not have.
    #[error("{plugin}: it requires something that kwasm does not provide: {reason}")]
    Link {
        /// The plugin.
        plugin: String,
        /// What wasmtime says.
        reason: String,
    },
    /// The content could not be had.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The system did not give what a run needs.
    #[error("cannot set up the run: {0}")]
    System(String),
    /// The content is not valid, or needs features that kwasm does not run.
    #[error("{plugin}")]
    Unfit {
        /// The plugin.
        plugin: String,
        /// The reason.
        source: inspect::Error,
    },
}

impl Explain for Error {
    fn subject(&self) -> Option<String> {
        match self {
            Self::Bound { plugin, .. }
            | Self::Compile { plugin, .. }
            | Self::Link { plugin, .. }
            | Self::Unfit { plugin, .. } => Some(plugin.clone()),
            Self::Bounds { variable, .. } => Some((*variable).to_owned()),
            Self::Cache { path, .. } => Some(path.display().to_string()),
            Self::Store(error) => error.subject(),
            Self::System(_) => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Bound { bound, .. } => bound.hint(),
            Self::Store(error) => error.hint(),
            Self::Unfit { source, .. } => source.hint(),
            Self::Bounds { .. }
            | Self::Cache { .. }
            | Self::Compile { .. }
            | Self::Link { .. }
            | Self::System(_) => None,
        }
    }
}

impl Error {
    fn system(error: impl std::fmt::Display) -> Self {
        Self::System(error.to_string())
    }

    fn compile(plugin: &Plugin, error: &wasmtime::Error) -> Self {
        Self::Compile { plugin: plugin.name().to_owned(), reason: in_one_line(error) }
    }

    fn link(plugin: &str, error: &wasmtime::Error) -> Self {
        Self::Link { plugin: plugin.to_owned(), reason: in_one_line(error) }
    }
}

/// What an error says with all that caused it, but for where in the guest it was: most have no names for that.
fn causes(error: &wasmtime::Error) -> String {
    let texts = error.chain().map(ToString::to_string).filter(|text| !text.contains("wasm backtrace"));
    texts.collect::<Vec<_>>().join(": ")
}

/// wasmtime lays some of its messages out over several lines.
fn in_one_line(error: &wasmtime::Error) -> String {
    format!("{error:#}")
        .split('\n')
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}

/// Makes machine code of plugins, and keeps it.
pub struct Compiler<'a> {
    /// Where it is kept.
    pub places: &'a Places,
    /// How much one compilation may take.
    pub bounds: Bounds,
    /// Who is shown how far it is.
    pub watcher: &'a dyn Watcher,
}

impl Compiler<'_> {
    /// Compiles a plugin ahead of its first run, and proves that it finds all that it imports.
    ///
    /// # Errors
    /// When it cannot be compiled, or needs what kwasm does not have.
    pub fn prepare(&self, plugin: &Plugin) -> Result<(), Error> {
        let engine = engine::runner(Limits::default().stack).map_err(Error::system)?;
        let code = self.code(&engine, plugin)?;
        Command::link(&engine, &code, plugin.inspected())
            .map(drop)
            .map_err(|error| Error::link(plugin.name(), &error))
    }

    /// Compares the machine code that is kept of a plugin with what compiling it now gives.
    ///
    /// # Errors
    /// When it cannot be compiled, or the folder of code cannot be used.
    pub fn compare(&self, plugin: &Plugin) -> Result<Kept, Error> {
        Cache::open(self.places)?.compare(plugin, self.bounds, self.watcher)
    }

    fn code(&self, engine: &Engine, plugin: &Plugin) -> Result<Code, Error> {
        Cache::open(self.places)?.load(engine, plugin, self.bounds, self.watcher)
    }
}

/// Removes machine code that no installed plugin needs, down to `budget` bytes. Returns how many bytes went.
///
/// # Errors
/// When the folder cannot be read, or a file not be removed.
pub fn trim(places: &Places, budget: u64) -> io::Result<u64> {
    cache::trim(places, budget, None)
}

impl Sandbox {
    /// Maps the plugin's compiled code, compiling it first if need be, and checks that it finds all that it imports.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn new(
        plugin: &Plugin,
        compiler: &Compiler<'_>,
        gate: Gate,
        world: World,
        limits: Limits,
    ) -> Result<Self, Error> {
        let engine = engine::runner(limits.stack).map_err(Error::system)?;
        let code = compiler.code(&engine, plugin)?;
        let (inspected, name) = (plugin.inspected().clone(), plugin.name().to_owned());
        Ok(Self { engine, code, gate, inspected, limits, name, world })
    }

    /// Runs the plugin to its end, to the user's, or to that of its time.
    ///
    /// # Errors
    /// When it needs what there is not, or the system does not give what a run needs.
    pub fn run(self) -> Result<Outcome, Error> {
        let command = Command::link(&self.engine, &self.code, &self.inspected)
            .map_err(|error| Error::link(&self.name, &error))?;
        let context = self.world.context().map_err(Error::system)?;
        let mut store = Store::new(&self.engine, State::new(context, self.gate.clone(), self.limits));
        store.limiter(State::limiter);
        limits::bound(&mut store, self.inspected.kind());
        store.set_epoch_deadline(1);
        // As with the linker: no one waits for code to be taken apart.
        mem::forget(self.code);
        let timeout = self.limits.timeout.filter(|_| stands(Defence::Timeout));
        if self.inspected.uses_network() || timeout.is_some() {
            run_beside(&self.engine, &self.gate, timeout, store, command)
        } else {
            run_alone(store, &command)
        }
    }
}

/// Runs a guest that can send nothing and has all the time it wants. When the user ends it there is nothing to abort and
/// nothing to tell, so the system may end the process at once: that spares a thread and what watches over it.
fn run_alone(mut store: Store<State>, command: &Command) -> Result<Outcome, Error> {
    platform::end_at_signals(INTERRUPTED).map_err(Error::system)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(Error::system)?;
    let outcome = runtime.block_on(drive(&mut store, command));
    mem::forget((runtime, store));
    Ok(outcome)
}

/// Runs a guest on a thread of its own, to compute on and to block in a write to a pipe that nobody reads. Network,
/// timers and signals are driven by this one, so that neither keeps it from ending when its user or its time says so.
fn run_beside(
    engine: &Engine,
    gate: &Gate,
    timeout: Option<Duration>,
    mut store: Store<State>,
    command: Command,
) -> Result<Outcome, Error> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::system)?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::listen().map_err(Error::system)?
    };
    let (tell, told) = oneshot::channel();
    let (ending, handle) = (gate.clone(), runtime.handle().clone());
    let guest = thread::Builder::new().name("guest".to_owned()).spawn(move || {
        let outcome = handle.block_on(drive(&mut store, &command));
        // First, since the guest's ends of all bodies go with it.
        ending.end();
        #[cfg(feature = "faults")]
        let store = holes::take_apart(store);
        // Nobody waits any more when it was the user who ended the run.
        drop(tell.send(outcome));
        mem::forget(store);
    });
    guest.map_err(Error::system)?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            () = signals.came(), if stands(Defence::Signals) => Outcome::Interrupted,
            // It cannot be dropped unused but by a panic.
            outcome = told => outcome.unwrap_or_else(|_| Outcome::Trapped("kwasm itself failed".to_owned())),
            limit = expired(timeout) => Outcome::Limited(limit),
        }
    });
    gate.end();
    #[cfg(feature = "faults")]
    runtime.block_on(holes::linger());
    // A guest that computes stops at its next loop. None is waited for, since it may be blocked for ever: the end of
    // the process is its end too. Until then it finds its runtime as it was.
    engine.increment_epoch();
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
    let error = match command.start(store).await {
        Ok(Ok(())) => return Outcome::Ended(0),
        Ok(Err(())) => return Outcome::Ended(1),
        Err(error) => error,
    };
    if let Some(I32Exit(code)) = error.downcast_ref() {
        // A code that a process cannot have is still no success.
        return Outcome::Ended(if *code == 0 { 0 } else { u8::try_from(*code).unwrap_or(1).max(1) });
    }
    let meter = store.data().meter();
    if let Some(limit) = meter.limit(&error) {
        return Outcome::Limited(limit);
    }
    let trap = error.downcast_ref::<wasmtime::Trap>();
    match (trap, meter.met()) {
        // The epoch ends when somebody else has already said how the run ended, and nobody listens any more.
        (Some(wasmtime::Trap::Interrupt), _) => Outcome::Interrupted,
        // Where a reader goes, as `head` does, Rust's `println!` panics and so traps. For no filter is that an error.
        (Some(_), _) if platform::is_stdout_closed() => Outcome::Ended(0),
        (_, Some(limit)) => Outcome::Limited(limit),
        (Some(trap), None) => Outcome::Trapped(trap.to_string()),
        (None, None) => Outcome::Trapped(causes(&error)),
    }
}
