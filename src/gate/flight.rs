//! Requests in flight: their limit, and when each has ended.

use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::{Body, Hook, Hooked, Polled};
use super::trace::Following;
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

/// Counts an answer's body, and holds its request's slot until that is read or dropped.
pub(super) struct Answer {
    following: Following,
    slot: Option<Slot>,
}

impl Answer {
    /// Returns an answer's body, which is traced.
    pub(super) fn body(inner: Body, following: Following, slot: Slot) -> Body {
        Hooked { hook: Self { following, slot: Some(slot) }, inner }.boxed_unsync()
    }

    fn ended(&mut self) {
        self.following.end();
        self.slot = None;
    }
}

impl Hook for Answer {
    fn polled(&mut self, polled: Polled, _: &impl http_body::Body, _: &mut Context<'_>) -> Polled {
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.following.count(frame.data_ref().map_or(0, |data| data.len() as u64));
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
    use crate::gate::head::Head;
    use crate::gate::trace::{Ending, Observer, Seen, Subject, Tracer};
    use ::http::{Method, StatusCode};
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
    async fn an_answer_is_reported_once_when_it_was_read_or_dropped() {
        for read in [true, false] {
            let endings = Arc::new(Mutex::new(Vec::new()));
            let observer: Observer = {
                let endings = Arc::clone(&endings);
                Arc::new(move |trace| {
                    endings.lock().unwrap().push(trace.ending.clone());
                    Ok(())
                })
            };
            let flight = Flight::new(1);
            let subject = Subject::Elsewhere { method: Method::GET, host: String::new(), port: None };
            let head = Head::default();
            let seen = Seen { request: "x".to_owned(), subject, rule: None, consent: None, head };
            let following = Arc::new(Tracer::new(vec![observer])).begin(Some(seen), None);
            following.answered(&::http::Response::new(()).into_parts().0);
            let body = Full::new(Bytes::from("four")).map_err(|never| match never {}).boxed_unsync();
            let slot = flight.take().unwrap_or_else(|_| panic!("the first one"));
            let answer = Answer::body(body, following, slot);
            if read {
                answer.collect().await.unwrap();
            } else {
                drop(answer);
            }
            let bytes = if read { 4 } else { 0 };
            assert_eq!(*endings.lock().unwrap(), [Ending::Answered { status: StatusCode::OK, bytes }]);
            assert!(flight.take().is_ok());
        }
    }
}
