//! Plugins with their imports resolved, ready to start.

use std::mem;

use wasmtime::component::{self, ComponentExportIndex};
use wasmtime::{Engine, ExternType, InstancePre, Linker, Module, Result, Store, bail};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1;
use wasmtime_wasi::p2::bindings::CommandPre;

use super::code::{Code, Form, Library};
use super::state::State;
use super::wasi3;
use crate::inspect::{self, Inspected, Wasi};

/// A plugin with its imports resolved.
pub(super) enum Command {
    /// A component whose `run` is that of WASI 0.2.
    Component(CommandPre<State>),
    /// A component whose `run` is asynchronous, as in WASI 0.3.
    Async(component::InstancePre<State>, ComponentExportIndex),
    /// A core module of WASI's preview 1.
    Core(InstancePre<State>),
}

/// The interface with the main function of WASI 0.3. wasmtime finds that of any other 0.3.x by it.
const RUN: &str = "wasi:cli/run@0.3.0";

/// The name of a core module's main function.
const START: &str = "_start";

impl Command {
    /// Resolves all imports.
    ///
    /// # Errors
    /// If an import cannot be resolved, or there is no main function.
    pub(super) fn link(engine: &Engine, code: &Code, inspected: &Inspected) -> Result<Self> {
        match &code.form {
            Form::Component(form) => component(engine, form, &code.libraries, inspected),
            Form::Core(form) => core(engine, form).map(Self::Core),
        }
    }

    /// Runs the plugin until it returns. `Err(())` means that it reported a failure.
    ///
    /// # Errors
    /// [`I32Exit`] if it exits with a code, otherwise the reason why it was stopped.
    pub(super) async fn start(&self, store: &mut Store<State>) -> Result<Result<(), ()>> {
        match self {
            Self::Component(command) => {
                let command = command.instantiate_async(&mut *store).await?;
                command.wasi_cli_run().call_run(&mut *store).await
            }
            Self::Async(component, run) => {
                let instance = component.instantiate_async(&mut *store).await?;
                let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, run)?;
                // Not `run_concurrent`, under which a guest that waits for what can never come waits forever.
                let (ended,) = run.call_async(&mut *store, ()).await?;
                Ok(ended)
            }
            Self::Core(module) => {
                let instance = module.instantiate_async(&mut *store).await?;
                // No command should have it, and wasmtime's own command line calls it all the same.
                if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
                    initialize.call_async(&mut *store, ()).await?;
                }
                let start = instance.get_typed_func::<(), ()>(&mut *store, START)?;
                start.call_async(&mut *store, ()).await.map(Ok)
            }
        }
    }
}

fn component(
    engine: &Engine,
    code: &component::Component,
    libraries: &[Library],
    inspected: &Inspected,
) -> Result<Command> {
    let instance = resolved(engine, code, libraries, inspected);
    match inspected.run() {
        None => bail!("it exports no `run`"),
        Some(Wasi::Two) => CommandPre::new(instance?).map(Command::Component),
        Some(Wasi::Three) => {
            let interface = code.get_export_index(None, RUN);
            let run = interface.and_then(|interface| code.get_export_index(Some(&interface), "run"));
            let Some(run) = run else { bail!("it exports no `run` of {RUN}") };
            instance.map(|instance| Command::Async(instance, run))
        }
    }
}

/// Resolves a component's imports.
pub(super) fn resolved(
    engine: &Engine,
    code: &component::Component,
    libraries: &[Library],
    inspected: &Inspected,
) -> Result<component::InstancePre<State>> {
    let mut linker = component::Linker::new(engine);
    // Both, where a guest imports both: Rust's standard library is of 0.2, and the bindings beside it of 0.3.
    State::link(&mut linker, inspected)?;
    wasi3::link(&mut linker, inspected)?;
    for (number, library) in libraries.iter().enumerate() {
        linker.root().module(&inspect::library_name(number), &library.module)?;
    }
    let instance = linker.instantiate_pre(code);
    // To take a linker apart, piece by piece, would take longer than many a run.
    mem::forget(linker);
    instance
}

fn core(engine: &Engine, code: &Module) -> Result<InstancePre<State>> {
    match code.get_export(START) {
        Some(ExternType::Func(start)) if start.params().len() + start.results().len() == 0 => {}
        _ => bail!("its `{START}` is not a function without parameters and results"),
    }
    let mut linker = Linker::new(engine);
    p1::add_to_linker_async(&mut linker, State::preview1)?;
    // wasmtime-wasi 48.0.8 takes an exit code from 126 on for an error; a process has codes to 255.
    linker.allow_shadowing(true);
    linker.func_wrap("wasi_snapshot_preview1", "proc_exit", |code: i32| -> Result<()> {
        Err(I32Exit(code).into())
    })?;
    let module = linker.instantiate_pre(code);
    mem::forget(linker);
    module
}
