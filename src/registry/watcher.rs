//! The receiver of the progress of transfers.

/// Is told how far a transfer is.
pub trait Watcher: Send + Sync {
    /// Something happened.
    fn saw(&self, step: Step);
}

/// A step of a transfer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// So much of it is here.
    Received {
        /// The bytes that are.
        bytes: u64,
        /// All there will be.
        of: u64,
    },
}

/// Watches nothing.
pub(super) struct Nobody;

impl Watcher for Nobody {
    fn saw(&self, _: Step) {}
}
