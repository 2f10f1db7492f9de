//! The only engine that compiles and the only one that runs, which differ in the compiler alone.

use std::num::NonZeroUsize;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, ModuleVersionStrategy, OptLevel,
    PoolingAllocationConfig, RegallocAlgorithm, ResourcesRequired, WasmBacktraceDetails,
};

use super::code::{Code, Form};
use super::limits;
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
    /// The room that is kept for instances; `None` if each makes its own.
    pub(super) pool: Option<Pool>,
}

/// The room for a number of instances of one plugin, which each takes and gives back in microseconds.
#[derive(Clone, Copy)]
pub(super) struct Pool {
    instances: u32,
    memories: u32,
    tables: u32,
    /// The elements of the largest table.
    elements: usize,
    /// The bytes of the largest memory.
    memory: usize,
}

/// The stacks of one guest: that of its call, and those of the calls of WASI 0.3 that it has under way.
const STACKS: u32 = 16;

/// The elements of a table that are kept room for, beside those that it begins with.
const ELEMENTS: usize = 16 << 10;

/// The bytes of a memory or a table that are cleared instead of being given back to the system, which makes every thread of the
/// process forget what it knows of its addresses.
const RESIDENT: usize = 128 << 10;

/// The same of a memory where the system says which of its pages were written (Linux 6.7): only those are cleared.
const RESIDENT_IF_WRITTEN: usize = 8 << 20;

/// The bytes of wasmtime's records of an instance: it has one of some bytes for each function.
const RECORDS: usize = 16 << 20;

impl Pool {
    /// Returns room for as many instances of a plugin, each with at most `memory` bytes.
    pub(super) fn for_guests(instances: u32, memory: u64, code: &Code) -> Self {
        let mut all = vec![match &code.form {
            Form::Component(component) => component.resources_required(),
            Form::Core(module) => Some(module.resources_required()),
        }];
        all.extend(code.libraries.iter().map(|library| Some(library.module.resources_required())));
        // What a component needs that imports its libraries is not known: more than any such has by itself.
        let unknown = || ResourcesRequired {
            num_memories: 2,
            max_initial_memory_size: None,
            num_tables: 32,
            max_initial_table_size: None,
        };
        let all = all.into_iter().map(|needed| needed.unwrap_or_else(unknown));
        let none = Self {
            instances,
            memories: 1,
            tables: 1,
            elements: ELEMENTS,
            memory: usize::try_from(memory).unwrap_or(usize::MAX),
        };
        all.fold(none, |pool, needed| Self {
            memories: pool.memories + needed.num_memories,
            tables: pool.tables + needed.num_tables,
            elements: pool
                .elements
                .max(ELEMENTS + usize::try_from(needed.max_initial_table_size.unwrap_or(0)).unwrap_or(0)),
            ..pool
        })
    }

    fn strategy(self) -> InstanceAllocationStrategy {
        let of_all = |each: u32| each.saturating_mul(self.instances);
        let inside = u32::try_from(limits::INSTANCES).unwrap_or(u32::MAX);
        let knows_pages = PoolingAllocationConfig::is_pagemap_scan_available();
        let resident = if knows_pages { RESIDENT_IF_WRITTEN } else { RESIDENT };
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(self.instances)
            .total_core_instances(of_all(inside))
            .max_core_instances_per_component(inside)
            .max_component_instance_size(RECORDS)
            .max_core_instance_size(RECORDS)
            .total_memories(of_all(self.memories))
            .max_memories_per_component(self.memories)
            .max_memory_size(self.memory)
            .linear_memory_keep_resident(resident)
            .pagemap_scan(Enabled::Auto)
            .total_tables(of_all(self.tables))
            .max_tables_per_component(self.tables)
            .table_elements(self.elements)
            .table_keep_resident(RESIDENT)
            .total_stacks(of_all(STACKS));
        InstanceAllocationStrategy::Pooling(pool)
    }
}

impl Runner {
    /// Returns an engine for code of which this is the lowest tier. It has no compiler, whose set-up costs more than a whole run.
    pub(super) fn engine(self, tier: Tier) -> wasmtime::Result<Engine> {
        let stack = usize::try_from(stack(self.stack, tier))?;
        let mut settings = settings()?;
        settings.max_wasm_stack(stack).async_stack_size(stack + HOST_STACK).enable_compiler(false);
        settings.wasm_backtrace_max_frames(NonZeroUsize::new(self.calls));
        if let Some(pool) = self.pool {
            settings.allocation_strategy(pool.strategy());
        }
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
