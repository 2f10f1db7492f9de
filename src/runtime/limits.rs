//! How much of this machine a guest may take.

use wasmtime::{ResourceLimiter, Result};

/// What one guest takes, and the most it may take.
pub(super) struct Limits {
    memory: usize,
    refused: bool,
}

/// The most bytes that all linear memories of a guest have together: 512 MiB.
const MEMORY: usize = 512 << 20;

/// The most elements of one table: a guest's table of functions has some thousand.
const TABLE: usize = 1_000_000;

impl Limits {
    pub(super) fn new() -> Self {
        Self { memory: 0, refused: false }
    }

    /// The limit that the guest ran into, if it did: most programs trap where they get no memory, and say no more.
    pub(super) fn met(&self) -> Option<&'static str> {
        self.refused.then_some("it wanted more than 512 MiB of memory")
    }
}

impl ResourceLimiter for Limits {
    /// A memory that would exceed the limit does not grow: to the guest `memory.grow` fails, as on a machine that
    /// has no more.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let after = self.memory.saturating_add(desired.saturating_sub(current));
        let fits = after <= MEMORY;
        if fits {
            self.memory = after;
        }
        self.refused |= !fits;
        Ok(fits)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= TABLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_of_a_guest_count_together() {
        let mut limits = Limits::new();
        assert!(limits.memory_growing(0, MEMORY / 2, None).unwrap());
        assert!(limits.memory_growing(0, MEMORY / 2, None).unwrap());
        assert_eq!(limits.met(), None);
        assert!(!limits.memory_growing(0, 1, None).unwrap());
        assert!(limits.met().is_some());
        // What was refused was not taken.
        assert!(limits.memory_growing(MEMORY / 2, MEMORY / 2, None).unwrap());
    }
}
