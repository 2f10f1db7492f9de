//! Requests whose answers are awaited beside others.

use crate::response::taken;
use crate::{Error, Response};
use wasip2::http::types::{FutureIncomingResponse, OutgoingBody};
use wasip2::io::poll::{self, Pollable};

/// A request that was sent, without its answer. If it is dropped, it is aborted.
#[derive(Debug)]
pub struct Pending {
    answer: FutureIncomingResponse,
}

impl Pending {
    pub(crate) fn new(body: OutgoingBody, answer: FutureIncomingResponse) -> Result<Self, Error> {
        OutgoingBody::finish(body, None).map_err(crate::Transport::from)?;
        Ok(Self { answer })
    }

    /// Sends a document as the body, and waits only for room to write it.
    pub(crate) fn sending(
        mut document: &[u8],
        body: OutgoingBody,
        answer: FutureIncomingResponse,
    ) -> Result<Self, Error> {
        let stream = body.write().map_err(|()| taken("the request's body"))?;
        while !document.is_empty() {
            // A broken stream has its reason in the answer, or else in the body's end below.
            let Ok(room) = stream.check_write() else { break };
            let (now, later) =
                document.split_at(document.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            if now.is_empty() {
                stream.subscribe().block();
            } else if stream.write(now).is_err() {
                break;
            }
            document = later;
        }
        drop(stream);
        Self::new(body, answer)
    }

    /// Returns the answer, of any status, if its head has arrived. It can be taken once.
    pub fn poll(&self) -> Option<Result<Response, Error>> {
        Response::poll(&self.answer)
    }

    /// Returns what is ready once [`Pending::poll`] returns something.
    #[must_use]
    pub fn ready(&self) -> Ready {
        Ready(self.answer.subscribe())
    }
}

/// Something to wait for. It must be dropped before what it was taken from.
#[derive(Debug)]
pub struct Ready(pub(crate) Pollable);

impl Ready {
    /// Returns what is ready after this time.
    #[must_use]
    pub fn after(time: std::time::Duration) -> Self {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self(wasip2::clocks::monotonic_clock::subscribe_duration(nanoseconds))
    }
}

/// Waits until at least one of them is ready, and returns the indices of all that are. An empty slice returns at once.
pub fn wait(any: &[Ready]) -> Vec<usize> {
    wait_among(any)
}

/// Waits like [`wait`] for what is kept in several places: who waits again and again for the same things takes their
/// [`Ready`] once and keeps it, which saves the host much work.
pub fn wait_among<'a>(any: impl IntoIterator<Item = &'a Ready>) -> Vec<usize> {
    let all: Vec<&Pollable> = any.into_iter().map(|ready| &ready.0).collect();
    if all.is_empty() {
        return Vec::new();
    }
    // An index is a u32 there, so that it fits.
    poll::poll(&all).into_iter().map(|index| index as usize).collect()
}
