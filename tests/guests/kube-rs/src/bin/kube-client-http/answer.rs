//! An answer whose body comes as it is read.

use crate::failure::Failure;
use http::Response;
use http::response::Builder;
use http_body::{Body, Frame};
use kube_guest::CHUNK;
use std::pin::Pin;
use std::task::{Context, Poll};
use wasip2::http::types::{FutureIncomingResponse, IncomingBody, IncomingResponse};
use wasip2::io::streams::{InputStream, StreamError};

/// The body of an answer. Polling it blocks in the host until bytes arrive: a command has one answer at a
/// time, and nothing else to run meanwhile.
#[derive(Debug)]
pub(crate) struct Incoming {
    // The order matters: a stream must be dropped before its body, a body before its response.
    stream: Option<InputStream>,
    _body: IncomingBody,
    _response: IncomingResponse,
}

impl Body for Incoming {
    type Data = bytes::Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Failure>>> {
        let Some(stream) = &self.stream else { return Poll::Ready(None) };
        let end = loop {
            match stream.blocking_read(CHUNK) {
                // A stream may wake without having anything to give.
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => return Poll::Ready(Some(Ok(Frame::data(chunk.into())))),
                Err(StreamError::Closed) => break None,
                Err(StreamError::LastOperationFailed(error)) => break Some(Err(error.into())),
            }
        };
        self.stream = None;
        Poll::Ready(end)
    }
}

/// Waits for the answer.
pub(crate) fn wait(answer: &FutureIncomingResponse) -> Result<Response<Incoming>, Failure> {
    loop {
        if let Some(response) = poll(answer) {
            return response;
        }
        answer.subscribe().block();
    }
}

/// Returns the answer if it has arrived. It can be taken once.
pub(crate) fn poll(answer: &FutureIncomingResponse) -> Option<Result<Response<Incoming>, Failure>> {
    Some(match answer.get()? {
        Ok(Ok(response)) => open(response),
        Ok(Err(code)) => Err(code.into()),
        Err(()) => Err(Failure::Part("the answer")),
    })
}

fn open(response: IncomingResponse) -> Result<Response<Incoming>, Failure> {
    let headers = response.headers().entries();
    let head = Response::builder().status(response.status());
    let head = headers.into_iter().fold(head, |head: Builder, (name, value)| head.header(name, value));
    let body = response.consume().map_err(|()| Failure::Part("the answer's body"))?;
    let stream = body.stream().map_err(|()| Failure::Part("the answer's stream"))?;
    let body = Incoming { stream: Some(stream), _body: body, _response: response };
    head.body(body).map_err(|_| Failure::Part("the answer's head"))
}
