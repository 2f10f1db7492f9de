//! Requests that end with a review's time, whatever a registry does: `kube_guest::Host` waits for as long as it lets it.

use admission::wasip2::clocks::monotonic_clock;
use admission::wasip2::http::outgoing_handler;
use admission::wasip2::http::types::{
    self, ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody,
    OutgoingRequest, Scheme,
};
use admission::wasip2::io::poll::{self, Pollable};
use admission::wasip2::io::streams::{InputStream, StreamError};
use kube_guest::{CHUNK, Error, Transport};

use crate::deadline::Deadline;

/// The reason why there is no answer, or not all of it.
pub(crate) enum Failed {
    /// The time was over before the server was asked.
    Unasked,
    /// The time was over before the answer was whole.
    Late,
    /// Whatever else.
    Error(Error),
}

/// An answer of any status, whose body has not been read.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    // The order matters: a stream must be dropped before its body, a body before its response.
    stream: InputStream,
    _body: IncomingBody,
    _owner: IncomingResponse,
}

/// Gets `path`, which is percent-encoded, of a host by HTTPS. A request that is too late is aborted.
///
/// # Errors
/// [`Failed`].
pub(crate) fn get(
    host: &str,
    path: &str,
    headers: &[(&str, &str)],
    deadline: Deadline,
) -> Result<Answer, Failed> {
    deadline.left().ok_or(Failed::Unasked)?;
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).map_err(|_| malformed("header"))?;
    }
    let request = OutgoingRequest::new(fields);
    request.set_scheme(Some(&Scheme::Https)).map_err(|()| malformed("scheme"))?;
    request.set_authority(Some(host)).map_err(|()| malformed("server"))?;
    request.set_path_with_query(Some(path)).map_err(|()| malformed("path"))?;
    let body = request.body().map_err(|()| malformed("body"))?;
    let answer = outgoing_handler::handle(request, None).map_err(failed)?;
    OutgoingBody::finish(body, None).map_err(failed)?;
    arrived(&answer, deadline)
}

fn arrived(answer: &FutureIncomingResponse, deadline: Deadline) -> Result<Answer, Failed> {
    loop {
        match answer.get() {
            Some(Ok(Ok(response))) => return Answer::open(response),
            Some(Ok(Err(code))) => return Err(failed(code)),
            Some(Err(())) => return Err(malformed("answer")),
            None => wait(&answer.subscribe(), deadline)?,
        }
    }
}

impl Answer {
    fn open(response: IncomingResponse) -> Result<Self, Failed> {
        let headers = response.headers().entries();
        let body = response.consume().map_err(|()| malformed("answer's body"))?;
        let stream = body.stream().map_err(|()| malformed("answer's stream"))?;
        Ok(Self { status: response.status(), headers, stream, _body: body, _owner: response })
    }

    /// Returns the HTTP status code.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Returns the first header of that name, if it is text. The case does not matter.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        str::from_utf8(value).ok()
    }

    /// Returns the whole body, if it has at most this many bytes.
    ///
    /// # Errors
    /// [`Failed`].
    pub(crate) fn read(self, most: usize, deadline: Deadline) -> Result<Vec<u8>, Failed> {
        let mut content = Vec::new();
        loop {
            // A body that never stops never waits, either.
            deadline.left().ok_or(Failed::Late)?;
            match self.stream.read(CHUNK) {
                Ok(chunk) if chunk.is_empty() => wait(&self.stream.subscribe(), deadline)?,
                Ok(chunk) if content.len() + chunk.len() > most => {
                    return Err(Failed::Error(Error::Large(most)));
                }
                Ok(chunk) => content.extend_from_slice(&chunk),
                Err(StreamError::Closed) => return Ok(content),
                Err(StreamError::LastOperationFailed(error)) => {
                    let code = types::http_error_code(&error);
                    return Err(failed(
                        code.unwrap_or_else(|| ErrorCode::InternalError(Some(error.to_debug_string()))),
                    ));
                }
            }
        }
    }
}

/// Waits until something is ready, or the time is over.
fn wait(pollable: &Pollable, deadline: Deadline) -> Result<(), Failed> {
    let left = deadline.left().ok_or(Failed::Late)?;
    let end = monotonic_clock::subscribe_duration(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX));
    poll::poll(&[pollable, &end]);
    Ok(())
}

fn failed(code: ErrorCode) -> Failed {
    Failed::Error(Transport::from(code).into())
}

fn malformed(what: &str) -> Failed {
    Failed::Error(Error::Request { what: what.to_owned(), why: "not well-formed".to_owned() })
}
