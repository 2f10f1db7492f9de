//! A request's body, written piece by piece.

use crate::response::{broken, taken};
use crate::{Error, Response, Transport};
use wasip2::http::types::{FutureIncomingResponse, OutgoingBody};
use wasip2::io::poll;
use wasip2::io::streams::{OutputStream, StreamError};

/// A request that is being sent. If it is dropped before [`Upload::finish`], it is aborted: the server never
/// accepts a part as the whole.
#[derive(Debug)]
pub struct Upload {
    // The order matters: the stream must be dropped before its body.
    stream: Option<OutputStream>,
    body: OutgoingBody,
    answer: FutureIncomingResponse,
    early: Option<Result<Response, Error>>,
}

impl Upload {
    pub(crate) fn new(body: OutgoingBody, answer: FutureIncomingResponse) -> Result<Self, Error> {
        let stream = body.write().map_err(|()| taken("the request's body"))?;
        Ok(Self { stream: Some(stream), body, answer, early: None })
    }

    /// Sends `bytes`, no faster than the server accepts them. Returns `false` if the server accepts no more
    /// because it has answered already; [`Upload::finish`] returns the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if the connection broke without an answer before.
    pub fn send(&mut self, mut bytes: &[u8]) -> Result<bool, Error> {
        while !bytes.is_empty() {
            let Some(room) = self.room()? else { return Ok(false) };
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            let Some(stream) = &self.stream else { return Ok(false) };
            if let Err(error) = stream.write(now) {
                return self.stopped(error);
            }
            bytes = later;
        }
        Ok(true)
    }

    /// Ends the body and waits for the answer, of any status.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if there was no answer, or the length of the body differs from its `content-length`.
    pub fn finish(mut self) -> Result<Response, Error> {
        let complete = self.stream.take().is_some();
        if let Some(early) = self.early {
            return early;
        }
        if complete {
            OutgoingBody::finish(self.body, None).map_err(Transport::from)?;
        }
        Response::wait(&self.answer)
    }

    /// Waits until something can be written, and returns how much, or `None` if the server accepts no more.
    fn room(&mut self) -> Result<Option<usize>, Error> {
        loop {
            let Some(stream) = &self.stream else { return Ok(None) };
            match stream.check_write() {
                Ok(0) => {}
                Ok(room) => return Ok(Some(usize::try_from(room).unwrap_or(usize::MAX))),
                Err(error) => return self.stopped(error).map(|_| None),
            }
            let writable = stream.subscribe();
            if self.early.is_some() {
                writable.block();
                continue;
            }
            let answered = self.answer.subscribe();
            let ready = poll::poll(&[&writable, &answered]);
            drop((writable, answered));
            if !ready.contains(&0) && self.refused() {
                return Ok(None);
            }
        }
    }

    /// Takes an answer that arrived before the body's end. Only a failure ends the sending.
    fn refused(&mut self) -> bool {
        self.early = Response::poll(&self.answer);
        let refused =
            self.early.as_ref().is_some_and(|early| early.as_ref().map_or(true, |r| r.status() >= 300));
        if refused {
            self.stream = None;
        }
        refused
    }

    /// Handles a stream that takes no more. If an answer has arrived, it explains the reason better than the
    /// stream can.
    fn stopped(&mut self, error: StreamError) -> Result<bool, Error> {
        self.stream = None;
        match error {
            StreamError::Closed => Ok(false),
            StreamError::LastOperationFailed(error) => {
                match self.early.take().or_else(|| Response::poll(&self.answer)) {
                    Some(Ok(response)) => {
                        self.early = Some(Ok(response));
                        Ok(false)
                    }
                    Some(Err(answer)) => Err(answer),
                    None => Err(broken(&error)),
                }
            }
        }
    }
}
