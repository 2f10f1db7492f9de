//! The limits of a guest's use of this machine, and which one it reached.
//!
//! wasmtime enforces most of them and reports them in errors of many kinds: [`Meter::limit`] is the only
//! function that reads these.

use wasmtime::component::{ResourceTable, ResourceTableError};
use wasmtime::{ResourceLimiter, Result, Store, Trap};
use wasmtime_wasi_http::{FieldMapError, WasiHttpCtx};

use crate::defence::Defence;
use crate::inspect::Kind;
use crate::policy::{Limit, Limits};

/// The largest number of elements in all tables of a guest: one of functions has some thousand.
const ELEMENTS: usize = 1_000_000;

/// The largest number of tables: each part of a guest has one or two, and even an empty one costs the host
/// something.
const TABLES: usize = 100;

/// The largest number of linear memories: each reserves more than 4 GiB of a process's 128 TiB of address
/// space.
const MEMORIES: usize = 100;

/// The largest number of core module instances: an interpreter with its libraries has some dozen.
pub(super) const INSTANCES: usize = 500;

/// The largest number of a guest's handles, including those to its own resources. One costs the host some ten
/// bytes.
const HANDLES: usize = 100_000;

/// The largest number of resources that the host keeps for a guest: headers, bodies, streams, pollables. A
/// request in flight has about eight. The largest are headers, and bodies with two chunks of 64 KiB: since
/// none takes much more than 128 KiB (`runtime::http` ensures the rest), all together take about as much as a
/// guest's own memory, 512 MiB.
const RESOURCES: usize = 4_096;

/// The largest number of asynchronous tasks and calls, and of streams and futures (three each: both ends, and what is
/// between), which wasmtime keeps for a guest. Fifty followed logs have 650, and 1,024 requests at a time, which a policy can allow, 14,000.
/// The largest is a task of a component inside of the component, which has a stack of its own: two pages at least,
/// so that all together take no more than 128 MiB.
const TASKS: usize = 16_384;

/// The largest number of bytes that a component passes to the host in one call. More than a chunk of 64 KiB
/// is never useful.
const HOST_CALL: usize = 16 << 20;

/// The same limit for a core module, which is wasmtime's default. In preview 1, exceeding it is an error for
/// the guest, which a program may ignore; and a `write` of many MiB is common there, of which the host copies
/// a page at a time.
const CORE_HOST_CALL: usize = 128 << 20;

/// The largest number of random bytes in one call.
pub(super) const RANDOM: u64 = 1 << 20;

/// Sets the limits that wasmtime enforces for a whole store.
pub(super) fn bound<T: 'static>(store: &mut Store<T>, kind: Kind) {
    store.set_hostcall_fuel(if kind == Kind::Core { CORE_HOST_CALL } else { HOST_CALL });
    store.set_max_component_handles(if Defence::HandleLimit.stands() { HANDLES } else { usize::MAX });
    if let Some(table) = store.concurrent_resource_table().filter(|_| Defence::HandleLimit.stands()) {
        table.set_max_capacity(TASKS);
    }
}

/// Returns the limit if it is wasmtime's own table that is full: its error is the same as that of the host's.
pub(super) fn crowded<T: 'static>(store: &mut Store<T>, error: &wasmtime::Error) -> Option<Limit> {
    let is_full = matches!(error.downcast_ref(), Some(ResourceTableError::Full));
    let table = store.concurrent_resource_table().filter(|_| is_full)?;
    (table.iter_mut().count() >= TASKS).then_some(Limit::Tasks(TASKS))
}

/// Limits the table of the resources that the host keeps for a guest.
pub(super) fn bound_resources(table: &mut ResourceTable) {
    if Defence::HandleLimit.stands() {
        table.set_max_capacity(RESOURCES);
    }
}

/// Returns the limits of one message's headers.
pub(super) fn headers(limits: &Limits) -> WasiHttpCtx {
    let mut context = WasiHttpCtx::new();
    let most = usize::try_from(limits.headers).unwrap_or(usize::MAX);
    context.set_field_size_limit(if Defence::HeaderLimit.stands() { most } else { usize::MAX });
    context
}

/// Counts a guest's resources.
pub(super) struct Meter {
    limits: Limits,
    memory: usize,
    elements: usize,
    /// The last limit that prevented a growth.
    met: Option<Limit>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, memory: 0, elements: 0, met: None }
    }

    /// Returns the limit that prevented a growth, if one did. Many programs trap without a message if they
    /// get no memory; others continue without it.
    pub(super) fn met(&self) -> Option<Limit> {
        self.met
    }

    /// Forgets which limit was met, but not what is used.
    pub(super) fn forget(&mut self) {
        self.met = None;
    }

    /// Returns the limit that an error is about, if any.
    pub(super) fn limit(&self, error: &wasmtime::Error) -> Option<Limit> {
        if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
            return Some(Limit::Handles(RESOURCES));
        }
        match error.downcast_ref() {
            Some(FieldMapError::TooManyFields) => return Some(Limit::HeaderCount),
            Some(FieldMapError::TotalSizeTooBig) => return Some(Limit::Headers(self.limits.headers)),
            _ => {}
        }
        if matches!(error.downcast_ref(), Some(Trap::StackOverflow)) {
            return Some(Limit::Stack(self.limits.stack));
        }
        let cause = error.root_cause().to_string();
        TEXTS.iter().find(|(text, _)| cause.contains(text)).map(|(_, limit)| *limit)
    }
}

/// wasmtime's messages about limits for which it has no type.
const TEXTS: [(&str, Limit); 7] = [
    // Of mmap(2): ENOMEM, as under `ulimit -v`. A memory is a reservation of 4 GiB of addresses.
    ("Cannot allocate memory (os error 12)", Limit::Addresses),
    ("store handle limit exceeded", Limit::Handles(HANDLES)),
    ("fuel allocated for hostcalls has been exhausted", Limit::HostCall),
    ("exceeds limit 1048576", Limit::Random),
    ("resource limit exceeded: instance count", Limit::Instances),
    ("resource limit exceeded: memory count", Limit::Instances),
    ("resource limit exceeded: table count", Limit::Tables),
];

impl ResourceLimiter for Meter {
    /// Refuses to grow a memory beyond the limit: `memory.grow` fails for the guest, as on a machine without
    /// more memory.
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let after = self.memory.saturating_add(desired.saturating_sub(current));
        // It would not grow then in any case, and what it did not get does not count.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if Defence::MemoryLimit.stops(u64::try_from(after).unwrap_or(u64::MAX) > self.limits.memory) {
            self.met = Some(Limit::Memory(self.limits.memory));
            return Ok(false);
        }
        self.memory = after;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let after = self.elements.saturating_add(desired.saturating_sub(current));
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if after > ELEMENTS {
            self.met = Some(Limit::Tables);
            return Ok(false);
        }
        self.elements = after;
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

#[cfg(test)]
mod tests;
