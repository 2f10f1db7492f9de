//! The only engine that compiles and the only one that runs, which differ in the compiler alone.

use std::num::NonZeroUsize;

use wasmtime::{Config, Engine, ModuleVersionStrategy, OptLevel, RegallocAlgorithm, WasmBacktraceDetails};

use super::tier::Tier;

/// The exact version of wasmtime. By default, wasmtime accepts code compiled by any release of the same major
/// version, which would keep code with a miscompilation that a patch release fixed. `tests/suite` compares it
/// with the lock file.
pub const WASMTIME: &str = "48.0.8";

/// Returns the part of a file name that identifies this engine's compiled code. wasmtime itself checks
/// settings and CPU on loading.
pub(super) fn key() -> String {
    format!("wasmtime-{WASMTIME}-{}", std::env::consts::ARCH)
}

/// What an engine that maps and runs code gives its guests.
#[derive(Clone, Copy)]
pub(super) struct Runner {
    /// The size of the call stack in bytes, in optimized code.
    pub(super) stack: u64,
    /// The number of calls under way that are reported.
    pub(super) calls: usize,
}

impl Runner {
    /// Returns an engine for code of which this is the lowest tier. It has no compiler, whose set-up costs more than a whole run.
    pub(super) fn engine(self, tier: Tier) -> wasmtime::Result<Engine> {
        let stack = usize::try_from(stack(self.stack, tier))?;
        let mut settings = settings()?;
        settings.max_wasm_stack(stack).async_stack_size(stack + HOST_STACK).enable_compiler(false);
        settings.wasm_backtrace_max_frames(NonZeroUsize::new(self.calls));
        Engine::new(&settings)
    }
}

/// Returns how many bytes of stack make code of a tier go as deep as optimized code does in `stack`.
///
/// The single-pass allocator of registers gives each value of a function that outlives a call a place of its own. Most calls take
/// some times the room; one of a function that fills large tables at the start of a Go program takes 6 MB, where optimized code
/// takes 100 KB.
fn stack(stack: u64, tier: Tier) -> u64 {
    match tier {
        Tier::Optimized => stack,
        Tier::Baseline => stack.saturating_mul(16).clamp(64 << 20, 256 << 20),
    }
}

/// The stack of the host's functions below those of a guest: the same as in wasmtime's own settings.
const HOST_STACK: usize = 1536 << 10;

/// Returns an engine that compiles, and whose code [`Runner::engine`] accepts in each tier. Its output is the same for every size of the
/// stack.
pub(super) fn compiler(tier: Tier) -> wasmtime::Result<Engine> {
    let mut settings = settings()?;
    if tier == Tier::Baseline {
        // Not Winch, which would be quicker still: it is another code generator, with sandbox escapes of its own in its advisories.
        settings.cranelift_opt_level(OptLevel::None);
        settings.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
    }
    Engine::new(settings.enable_compiler(true))
}

fn settings() -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config.module_version(ModuleVersionStrategy::Custom(format!("kwasm-{WASMTIME}")))?;
    // A busy loop is ended by the epoch, which costs a load and a branch a loop and needs no timer.
    config.epoch_interruption(true);
    // DWARF stays in the plugin, and is read there after a trap (`runtime::calls`): in compiled code it would take
    // room, and wasmtime would read it at each exit. By default a variable of the environment decides.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    // Tables with which the system's unwinder finds its way through guests, at the price of registering each function of a
    // plugin at each start. wasmtime has its own way for the calls that it reports; only Windows cannot do without.
    config.native_unwind_info(cfg!(windows));
    Ok(config)
}
