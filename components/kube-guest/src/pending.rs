//! Requests whose answers are awaited beside others.

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
    if any.is_empty() {
        return Vec::new();
    }
    let all: Vec<&Pollable> = any.iter().map(|ready| &ready.0).collect();
    // An index is a u32 there, so that it fits.
    poll::poll(&all).into_iter().map(|index| index as usize).collect()
}
