//! Faults that a real server does not commit on demand.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::wire::Cut;

/// A fault in the answers to the requests that it matches: all of them unless [`on`] or [`watches`] restrict
/// it, and only the first one unless [`times`] or [`standing`] extend it.
///
/// Of several faults that match a request, the one that was added first applies.
///
/// [`on`]: Fault::on
/// [`watches`]: Fault::watches
/// [`times`]: Fault::times
/// [`standing`]: Fault::standing
#[derive(Debug, Clone)]
#[must_use = "a fault is committed once the server has it"]
pub struct Fault {
    action: Action,
    method: Option<String>,
    path: String,
    only_watches: bool,
    /// The number of times that it still applies; `None` for no limit.
    left: Option<u32>,
    headers: Vec<(String, String)>,
}

/// The effect of a fault. If it replaces the answer, the request has no effect on the objects.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Only the headers are affected.
    None,
    Status {
        code: u16,
        body: Option<Value>,
    },
    StallHead,
    CutHead(Cut),
    StallBody {
        after: u64,
    },
    CutBody {
        after: u64,
        how: Cut,
    },
    Slow {
        bytes: usize,
        every: Duration,
    },
    ContentLength(u64),
    Raw(Vec<u8>),
    EndWatch {
        after: usize,
    },
    Gone,
}

impl Fault {
    /// Returns a fault that answers with this status. The body is `body`, or else the `Status` object for the
    /// code.
    pub fn status(code: u16, body: Option<Value>) -> Self {
        Self::new(Action::Status { code, body })
    }

    /// Returns a fault that answers 401, as when a token has expired; with [`Fault::times`], later requests
    /// are answered normally.
    pub fn unauthorized() -> Self {
        Self::status(401, None)
    }

    /// Returns a redirect with this status (3xx) to `location`.
    pub fn redirect(code: u16, location: impl Into<String>) -> Self {
        Self::status(code, None).with_header("location", location)
    }

    /// Returns a fault that reads the request, and answers nothing until [`release`]; then the request is
    /// handled normally.
    ///
    /// [`release`]: crate::ApiServer::release
    pub fn stall() -> Self {
        Self::new(Action::StallHead)
    }

    /// Returns a fault that stalls the answer after `after` bytes of its body until [`release`].
    ///
    /// [`release`]: crate::ApiServer::release
    pub fn stall_after(after: u64) -> Self {
        Self::new(Action::StallBody { after })
    }

    /// Returns a fault that cuts the connection instead of an answer. The request has no effect.
    pub fn cut(how: Cut) -> Self {
        Self::new(Action::CutHead(how))
    }

    /// Returns a fault that cuts the connection after `after` bytes of the answer's body, or where the body's
    /// end would be announced: less than the announced `Content-Length` arrives, or no last chunk.
    pub fn cut_after(after: u64, how: Cut) -> Self {
        Self::new(Action::CutBody { after, how })
    }

    /// Returns a fault that sends the answer's body in pieces of at most `bytes`, one every `every` (at least
    /// a millisecond).
    pub fn slow(bytes: usize, every: Duration) -> Self {
        Self::new(Action::Slow { bytes, every })
    }

    /// Returns a fault that announces a `Content-Length` of `length`, sends the whole body whatever its
    /// length is, and closes the connection properly. Not for answers without end, such as a watch.
    pub fn content_length(length: u64) -> Self {
        Self::new(Action::ContentLength(length))
    }

    /// Returns a fault that sends these bytes over the connection instead of an answer, including its head;
    /// then the connection is closed properly.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Action::Raw(bytes.into()))
    }

    /// Returns a fault that only adds headers to the normal answer: see [`Fault::with_header`].
    pub fn headers() -> Self {
        Self::new(Action::None)
    }

    /// Adds `count` headers `x-filler-N` with values of `size` bytes to the normal answer.
    pub fn many_headers(count: usize, size: usize) -> Self {
        let value = "f".repeat(size);
        (0..count).fold(Self::headers(), |fault, n| fault.with_header(format!("x-filler-{n}"), value.clone()))
    }

    /// Returns a fault that ends a watch properly after `after` events, as when its time is over.
    pub fn end_watch(after: usize) -> Self {
        Self::new(Action::EndWatch { after }).watches()
    }

    /// Returns a fault that reports a too old version (410): to a watch in an `ERROR` event, to a list or get
    /// by the status.
    pub fn gone() -> Self {
        Self::new(Action::Gone)
    }

    /// Restricts the fault to requests with this method (`*` for any) and a decoded path, taken below the
    /// base path, that begins with `prefix`.
    pub fn on(mut self, method: &str, prefix: impl Into<String>) -> Self {
        self.method = (method != "*").then(|| method.to_owned());
        self.path = prefix.into();
        self
    }

    /// Restricts the fault to watches.
    pub fn watches(mut self) -> Self {
        self.only_watches = true;
        self
    }

    /// Applies the fault to the first `times` requests that match.
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Applies the fault to all requests that match, until [`clear_faults`].
    ///
    /// [`clear_faults`]: crate::ApiServer::clear_faults
    pub fn standing(mut self) -> Self {
        self.left = None;
        self
    }

    /// Adds a header to the answer, whatever else the fault does to it (but for [`Fault::raw`] and cuts in
    /// place of an answer). A header that HTTP does not allow is answered with 500.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn new(action: Action) -> Self {
        Self {
            action,
            method: None,
            path: String::new(),
            only_watches: false,
            left: Some(1),
            headers: Vec::new(),
        }
    }

    fn matches(&self, method: &str, path: &str, watch: bool) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method)
            && path.starts_with(&self.path)
            && (watch || !self.only_watches)
    }
}

/// The effects chosen for one request.
pub(crate) struct Committed {
    pub(crate) action: Action,
    pub(crate) headers: Vec<(String, String)>,
}

pub(crate) struct Faults {
    armed: Mutex<VecDeque<Fault>>,
    /// Counts the releases.
    releases: watch::Sender<u64>,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self { armed: Mutex::default(), releases: watch::Sender::new(0) }
    }

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

    pub(crate) fn release(&self) {
        self.releases.send_modify(|count| *count += 1);
    }

    /// Returns a future that is ready at the next release.
    pub(crate) fn released(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut releases = self.releases.subscribe();
        async move {
            // It fails only if the server is gone, together with the waiting tasks.
            drop(releases.changed().await);
        }
    }

    pub(crate) fn take(&self, method: &str, path: &str, watch: bool) -> Committed {
        let mut armed = self.lock();
        let Some(index) = armed.iter().position(|fault| fault.matches(method, path, watch)) else {
            return Committed { action: Action::None, headers: Vec::new() };
        };
        let fault = &mut armed[index];
        fault.left = fault.left.map(|left| left - 1);
        let committed = Committed { action: fault.action.clone(), headers: fault.headers.clone() };
        if fault.left == Some(0) {
            armed.remove(index);
        }
        committed
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fault(faults: &Faults, method: &str, path: &str, watch: bool) -> bool {
        !matches!(faults.take(method, path, watch).action, Action::None)
    }

    #[test]
    fn a_fault_is_committed_as_often_as_asked_and_only_where_it_matches() {
        let faults = Faults::new();
        faults.add(Fault::unauthorized().on("GET", "/api").times(2));
        assert!(!is_fault(&faults, "POST", "/api", false) && !is_fault(&faults, "GET", "/version", false));
        assert!(is_fault(&faults, "GET", "/api/v1", false) && is_fault(&faults, "GET", "/api/v1", true));
        assert!(!is_fault(&faults, "GET", "/api/v1", false));
        assert_eq!(faults.len(), 0);
    }

    #[test]
    fn a_standing_fault_stays_and_one_for_watches_spares_the_rest() {
        let faults = Faults::new();
        faults.add(Fault::gone().watches().standing());
        assert!(!is_fault(&faults, "GET", "/api", false));
        assert!((0..5).all(|_| is_fault(&faults, "GET", "/api", true)));
        faults.clear();
        assert!(!is_fault(&faults, "GET", "/api", true));
    }
}
