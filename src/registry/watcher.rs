//! The receiver of the progress of transfers.

/// An observer of a transfer's progress.
pub trait Watcher: Send + Sync {
    /// Reports a step.
    fn saw(&self, step: Step);
}

/// A step of a transfer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// More bytes arrived.
    Received {
        /// The number of bytes so far.
        bytes: u64,
        /// The total number of bytes.
        of: u64,
    },
}

/// A watcher that does nothing.
pub(super) struct Nobody;

impl Watcher for Nobody {
    fn saw(&self, _: Step) {}
}
