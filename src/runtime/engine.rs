//! The one engine that compiles and the one that runs: the same but for the compiler.

use wasmtime::{Config, Engine, ModuleVersionStrategy};

/// The exact wasmtime this is built with. By itself wasmtime takes code that any release of the same major version
/// compiled, which would keep code alive whose miscompilation a patch release mended. `tests/house` holds it equal
/// to the lock file's.
pub const WASMTIME: &str = "48.0.8";

/// What names compiled code of this engine in a file name. wasmtime itself checks settings and CPU on loading.
pub(super) fn key() -> String {
    format!("wasmtime-{WASMTIME}-{}", std::env::consts::ARCH)
}

/// An engine that maps compiled code. It has no compiler: to set one up costs more than a whole run.
pub(super) fn runner() -> wasmtime::Result<Engine> {
    Engine::new(settings()?.enable_compiler(false))
}

/// An engine that compiles.
pub(super) fn compiler() -> wasmtime::Result<Engine> {
    Engine::new(settings()?.enable_compiler(true))
}

fn settings() -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config.module_version(ModuleVersionStrategy::Custom(format!("kwasm-{WASMTIME}")))?;
    // A busy loop is ended by the epoch, which costs a load and a branch a loop and needs no timer.
    config.epoch_interruption(true);
    Ok(config)
}
