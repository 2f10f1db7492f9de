//! What a guest's requests are done for: in a distributed trace, each of them belongs to a request that the guest answers.

use ::http::{HeaderMap, Method};

use super::trace::Trace;

/// A request that a guest answers, of which its own requests are a part.
pub trait Parent: Send + Sync {
    /// Begins to follow a request of the guest, and says in its headers what it belongs to. `None` if it is not followed.
    fn child(&self, method: &Method, headers: &mut HeaderMap) -> Option<Box<dyn Child>>;
}

/// A request of a guest that is followed.
pub trait Child: Send {
    /// It has ended: its answer was read or dropped, or it was refused, or failed.
    fn ended(&mut self, trace: &Trace);
}
