//! Runs one component behind one gate.

mod compiled;
mod engine;
mod interrupt;
mod state;
mod world;

use std::io;
use std::path::PathBuf;

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::CommandPre;

use self::compiled::Cache;
pub use self::engine::WASMTIME;
use self::interrupt::Interrupt;
use self::state::State;
pub use self::world::World;
use crate::gate::Gate;
use crate::inspect;
use crate::store::{self, Places, Plugin};

/// A component, compiled, with all that it is given.
pub struct Sandbox {
    engine: Engine,
    component: Component,
    gate: Gate,
    name: String,
    world: World,
}

/// How a run ended.
#[derive(Debug, Eq, PartialEq)]
pub enum Outcome {
    /// By itself, with this code.
    Ended(u8),
    /// By the user.
    Interrupted,
    /// By a trap, with its cause.
    Trapped(String),
}

/// Why a component could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The core module cannot be adapted.
    #[error("{plugin}")]
    Adapt {
        /// The plugin.
        plugin: String,
        /// The reason.
        source: inspect::Error,
    },
    /// A folder of the cache cannot be used.
    #[error("{}: kwasm cannot use it", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The content is no component that wasmtime takes.
    #[error("{plugin}: it does not compile: {reason}")]
    Compile {
        /// The plugin.
        plugin: String,
        /// What wasmtime says.
        reason: String,
    },
    /// The component imports what there is not.
    #[error("{plugin}: it needs what kwasm does not have: {reason}")]
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
    #[error("a run could not be set up: {0}")]
    System(String),
}

impl Error {
    fn compile(plugin: &Plugin, error: &wasmtime::Error) -> Self {
        Self::Compile { plugin: plugin.name().to_owned(), reason: format!("{error:#}") }
    }
}

/// Compiles a plugin ahead of its first run.
///
/// # Errors
/// When it cannot be compiled or the code cannot be kept.
pub fn prepare(plugin: &Plugin, places: &Places) -> Result<(), Error> {
    let engine = engine::runner().map_err(|error| Error::System(error.to_string()))?;
    Cache::open(places)?.prepare(&engine, plugin)
}

impl Sandbox {
    /// Maps the plugin's compiled code, compiling it first if need be, and checks that it finds all that it imports.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn new(plugin: &Plugin, gate: Gate, world: World, places: &Places) -> Result<Self, Error> {
        let engine = engine::runner().map_err(|error| Error::System(error.to_string()))?;
        let component = Cache::open(places)?.load(&engine, plugin)?;
        Ok(Self { engine, component, gate, name: plugin.name().to_owned(), world })
    }

    /// Runs the component to its end, or to the user's.
    ///
    /// # Errors
    /// When it needs what there is not, or the system does not give what a run needs.
    pub fn run(self) -> Result<Outcome, Error> {
        let system = |reason: String| Error::System(reason);
        let mut linker = Linker::new(&self.engine);
        State::link(&mut linker).map_err(|error| system(error.to_string()))?;
        let pre = linker.instantiate_pre(&self.component).and_then(CommandPre::new);
        let command =
            pre.map_err(|error| Error::Link { plugin: self.name.clone(), reason: format!("{error:#}") })?;
        let context = self.world.context().map_err(|error| system(error.to_string()))?;
        let mut store = Store::new(&self.engine, State::new(context, self.gate.clone()));
        store.set_epoch_deadline(1);
        let interrupt = Interrupt::listen(&self.engine).map_err(|error| system(error.to_string()))?;
        // The guest has a thread of its own to block in a write to a pipe that nobody reads; network and signals
        // have the other one.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| system(error.to_string()))?;
        let gate = self.gate.clone();
        let guest = runtime.spawn(async move {
            let ended = drive(&mut store, &command).await;
            // Before the store is dropped, and with it the guest's ends of all bodies.
            gate.end();
            ended
        });
        let outcome = runtime.block_on(async {
            tokio::select! {
                biased;
                () = interrupt.came() => Outcome::Interrupted,
                ended = guest => ended.unwrap_or_else(|error| Outcome::Trapped(error.to_string())),
            }
        });
        self.gate.end();
        // Not waited for: a thread may be reading a standard input that never ends.
        runtime.shutdown_background();
        Ok(outcome)
    }
}

async fn drive(store: &mut Store<State>, command: &CommandPre<State>) -> Outcome {
    let ended = match command.instantiate_async(&mut *store).await {
        Ok(command) => command.wasi_cli_run().call_run(store).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(Ok(())) => Outcome::Ended(0),
        Ok(Err(())) => Outcome::Ended(1),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            // What the system would make of it: the lowest byte, but never a success of a failure.
            Some(I32Exit(0)) => Outcome::Ended(0),
            Some(I32Exit(code)) => Outcome::Ended(u8::try_from(*code).unwrap_or(1).max(1)),
            None => match error.downcast_ref::<wasmtime::Trap>() {
                // The epoch ends at the user's word only.
                Some(wasmtime::Trap::Interrupt) => Outcome::Interrupted,
                Some(trap) => Outcome::Trapped(trap.to_string()),
                None => Outcome::Trapped(format!("{:#}", error.root_cause())),
            },
        },
    }
}
