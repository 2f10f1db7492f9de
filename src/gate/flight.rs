//! Requests in flight: their limit, and the result of each.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ::http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::{Body, Hook, Hooked, Polled};
use crate::defence::Defence;
use crate::policy::Limit;

/// The limit of requests in flight.
pub(super) struct Flight {
    slots: Arc<Semaphore>,
    most: u32,
}

/// A slot for one request, free again when it is dropped.
pub(super) struct Slot(#[expect(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

impl Flight {
    pub(super) fn new(most: u32) -> Self {
        Self { slots: Arc::new(Semaphore::new(most as usize)), most }
    }

    /// Takes a slot. If none is free, the request is refused. Waiting could last forever, since this request
    /// may be the one by which the guest ends the others.
    pub(super) fn take(&self) -> Result<Slot, Limit> {
        match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(slot) => Ok(Slot(Some(slot))),
            Err(_) if !Defence::RequestLimit.stands() => Ok(Slot(None)),
            Err(_) => Err(Limit::Requests(self.most)),
        }
    }
}

/// The observer of each request, called when it has ended.
pub type Observer = Arc<dyn Fn(&Trace) + Send + Sync>;

/// The result of one request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trace {
    /// The request, e.g. `list pods in namespace shop`.
    pub request: String,
    /// The decision and the result.
    pub ending: Ending,
    /// The time from its judgement to the end of its answer.
    pub time: Duration,
}

/// The ending of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Sent, and answered with this status and this many bytes, all of them or as far as the guest read.
    Answered {
        /// The status.
        status: StatusCode,
        /// The number of bytes of the answer's body.
        bytes: u64,
    },
    /// Sent, but not answered.
    Failed,
    /// Refused.
    Refused,
}

/// A request that is traced, if there is an observer.
pub(super) struct Following {
    observer: Option<Observer>,
    request: String,
    began: Instant,
}

impl Following {
    pub(super) fn begin(observer: Option<&Observer>, request: impl FnOnce() -> String) -> Self {
        let request = if observer.is_some() { request() } else { String::new() };
        Self { observer: observer.cloned(), request, began: Instant::now() }
    }

    pub(super) fn end(&mut self, ending: Ending) {
        if let Some(observer) = self.observer.take() {
            let request = std::mem::take(&mut self.request);
            observer(&Trace { request, ending, time: self.began.elapsed() });
        }
    }
}

/// Counts an answer's body, and holds its request's slot until that is read or dropped.
pub(super) struct Answer {
    status: StatusCode,
    bytes: u64,
    following: Following,
    slot: Option<Slot>,
}

impl Answer {
    /// Returns an answer's body, which is traced.
    pub(super) fn body(inner: Body, status: StatusCode, following: Following, slot: Slot) -> Body {
        Hooked { hook: Self { status, bytes: 0, following, slot: Some(slot) }, inner }.boxed_unsync()
    }

    fn ended(&mut self) {
        self.following.end(Ending::Answered { status: self.status, bytes: self.bytes });
        self.slot = None;
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.ended();
    }
}

impl Hook for Answer {
    fn polled(&mut self, polled: Polled, _: &impl http_body::Body, _: &mut Context<'_>) -> Polled {
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(None | Some(Err(_))) => self.ended(),
            Poll::Pending => {}
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::Full;
    use std::sync::Mutex;

    #[test]
    fn a_slot_is_free_again_when_its_request_has_ended() {
        let flight = Flight::new(1);
        let slot = flight.take().unwrap_or_else(|_| panic!("the first one"));
        assert!(matches!(flight.take(), Err(Limit::Requests(1))));
        drop(slot);
        assert!(flight.take().is_ok());
    }

    #[tokio::test]
    async fn an_answer_is_told_of_once_when_it_was_read_or_dropped() {
        for read in [true, false] {
            let told = Arc::new(Mutex::new(Vec::new()));
            let observer: Observer = {
                let told = Arc::clone(&told);
                Arc::new(move |trace| told.lock().unwrap().push(trace.ending.clone()))
            };
            let flight = Flight::new(1);
            let following = Following::begin(Some(&observer), || "x".to_owned());
            let body = Full::new(Bytes::from("four")).map_err(|never| match never {}).boxed_unsync();
            let slot = flight.take().unwrap_or_else(|_| panic!("the first one"));
            let answer = Answer::body(body, StatusCode::OK, following, slot);
            if read {
                answer.collect().await.unwrap();
            } else {
                drop(answer);
            }
            let bytes = if read { 4 } else { 0 };
            assert_eq!(*told.lock().unwrap(), [Ending::Answered { status: StatusCode::OK, bytes }]);
            assert!(flight.take().is_ok());
        }
    }
}
