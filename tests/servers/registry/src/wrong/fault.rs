//! Faults that a real registry does not commit on demand.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::received::Side;
use super::route::Kind;

/// A fault in the answers to the requests that it matches: all of them unless [`on`], [`method`] or [`at`]
/// restrict it, and only the first one unless [`times`] or [`standing`] extend it.
///
/// Of several faults that match a request, the one that was added first applies.
///
/// [`on`]: Fault::on
/// [`method`]: Fault::method
/// [`at`]: Fault::at
/// [`times`]: Fault::times
/// [`standing`]: Fault::standing
#[derive(Clone, Debug)]
#[must_use = "a fault is committed once the registry has it: Wrong::fault"]
pub struct Fault {
    pub(crate) action: Action,
    /// The headers that replace the answer's own; without a value, they are removed.
    pub(crate) headers: Vec<(String, Option<String>)>,
    kind: Option<Kind>,
    method: Option<String>,
    side: Option<Side>,
    /// The number of times that it still applies; `None` for no limit.
    left: Option<u32>,
}

/// The effect of a fault on an answer, or its replacement.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Body(Bytes),
    Chunked,
    ContentLength(u64),
    Corrupt,
    Cut,
    CutBody {
        after: u64,
    },
    Endless,
    Lose,
    /// Only the headers are affected.
    None,
    Page,
    Slow {
        bytes: usize,
        every: Duration,
    },
    StallBody {
        after: u64,
    },
    Status(u16),
}

impl Fault {
    /// Returns an answer with this status, and an error of the distribution specification as its body.
    pub fn status(code: u16) -> Self {
        Self::new(Action::Status(code))
    }

    /// Returns a fault that answers 429, to be tried again after this many seconds.
    pub fn too_many(seconds: u32) -> Self {
        Self::status(429).header("retry-after", seconds.to_string())
    }

    /// Returns a redirect (307) to anywhere.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self::status(307).header("location", location)
    }

    /// Returns a page of HTML with 200, as captive portals and front proxies answer.
    pub fn page() -> Self {
        Self::new(Action::Page)
    }

    /// Returns a fault that cuts the connection instead of an answer.
    pub fn cut() -> Self {
        Self::new(Action::Cut)
    }

    /// Returns a fault that cuts the connection instead of an answer, after the request had its effect.
    pub fn lost_answer() -> Self {
        Self::new(Action::Lose)
    }

    /// Returns a fault that cuts the connection after `after` bytes of the answer's body, or where the body's
    /// end would be announced: less than the announced length arrives, or no last chunk.
    pub fn cut_after(after: u64) -> Self {
        Self::new(Action::CutBody { after })
    }

    /// Returns a fault that stalls the answer after `after` bytes of its body, until the client closes the
    /// connection.
    pub fn stall_after(after: u64) -> Self {
        Self::new(Action::StallBody { after })
    }

    /// Returns a fault that sends the answer's body in pieces of at most `bytes`, one every `every` (at least
    /// a millisecond).
    pub fn slow(bytes: usize, every: Duration) -> Self {
        Self::new(Action::Slow { bytes, every })
    }

    /// Returns a fault that changes the last byte of the body.
    pub fn corrupt() -> Self {
        Self::new(Action::Corrupt)
    }

    /// Returns a fault that sends another body, under the headers of the true one except for its length.
    pub fn body(bytes: impl Into<Bytes>) -> Self {
        Self::new(Action::Body(bytes.into()))
    }

    /// Returns a fault that sends zeros endlessly after the body, without announcing a length.
    pub fn endless() -> Self {
        Self::new(Action::Endless)
    }

    /// Returns a fault that announces no length, and sends the body in chunks.
    pub fn chunked() -> Self {
        Self::new(Action::Chunked)
    }

    /// Returns a fault that announces a length of `length` whatever the body is: the rest of a longer body is
    /// not sent, and after a shorter one the connection is cut.
    pub fn content_length(length: u64) -> Self {
        Self::new(Action::ContentLength(length))
    }

    /// Returns a fault that only affects headers: see [`Fault::header`] and [`Fault::without_header`].
    pub fn headers() -> Self {
        Self::new(Action::None)
    }

    /// Sets a header of the answer, whatever else the fault does to it.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), Some(value.into())));
        self
    }

    /// Takes a header away from the answer.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.push((name.to_owned(), None));
        self
    }

    /// Restricts the fault to requests of this kind.
    pub fn on(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Restricts the fault to requests with this method, e.g. `GET`.
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Restricts the fault to this host.
    pub fn at(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// Applies the fault to the first `times` requests that match.
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Applies the fault to all requests that match, until [`Wrong::clear_faults`].
    ///
    /// [`Wrong::clear_faults`]: crate::Wrong::clear_faults
    pub fn standing(mut self) -> Self {
        self.left = None;
        self
    }

    fn new(action: Action) -> Self {
        Self { action, headers: Vec::new(), kind: None, method: None, side: None, left: Some(1) }
    }

    fn matches(&self, side: Side, kind: Kind, method: &str) -> bool {
        self.side.is_none_or(|wanted| wanted == side)
            && self.kind.is_none_or(|wanted| wanted == kind)
            && self.method.as_deref().is_none_or(|wanted| wanted == method)
    }
}

/// The faults that still apply.
#[derive(Default)]
pub(crate) struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        if fault.left != Some(0) {
            self.lock().push_back(fault);
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn take(&self, side: Side, kind: Kind, method: &str) -> Option<Fault> {
        let mut armed = self.lock();
        let index = armed.iter().position(|fault| fault.matches(side, kind, method))?;
        let fault = &mut armed[index];
        fault.left = fault.left.map(|left| left - 1);
        let committed = fault.clone();
        if fault.left == Some(0) {
            armed.remove(index);
        }
        Some(committed)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_committed_as_often_as_asked_and_only_where_it_matches() {
        let faults = Faults::default();
        faults.add(Fault::status(503).on(Kind::Blob).method("GET").at(Side::Registry).times(2));
        let taken = |side, kind, method| faults.take(side, kind, method).is_some();
        assert!(!taken(Side::Registry, Kind::Manifest, "GET") && !taken(Side::Registry, Kind::Blob, "HEAD"));
        assert!(!taken(Side::Elsewhere, Kind::Blob, "GET"));
        assert!(taken(Side::Registry, Kind::Blob, "GET") && taken(Side::Registry, Kind::Blob, "GET"));
        assert!(!taken(Side::Registry, Kind::Blob, "GET"));
        assert_eq!(faults.len(), 0);
    }

    #[test]
    fn a_standing_fault_stays_until_it_is_cleared() {
        let faults = Faults::default();
        faults.add(Fault::cut().standing());
        assert!((0..5).all(|_| faults.take(Side::Registry, Kind::Base, "GET").is_some()));
        faults.clear();
        assert!(faults.take(Side::Registry, Kind::Base, "GET").is_none());
    }
}
