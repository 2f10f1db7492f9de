//! The answer of the API server.

use crate::{Error, LineBuffer, Ready, Status, Transport};
use wasip2::http::types::{self, FutureIncomingResponse, IncomingBody, IncomingResponse};
use wasip2::io::streams::{InputStream, StreamError};

/// The number of bytes requested at a time. Each read is a call to the host, so small ones are slow.
pub const CHUNK: u64 = 256 * 1024;

/// The largest part of a failure's body that is kept, in bytes: a `Status` is small, but a proxy's page may
/// be large.
const FAILURE_LIMIT: usize = 64 * 1024;

/// What [`Response::piece`] found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// These bytes, at least one.
    Bytes(Vec<u8>),
    /// Nothing yet.
    Later,
    /// The body is whole.
    End,
}

/// An answer: its status and headers have arrived, its body arrives as it is read.
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    // The order matters: a stream must be dropped before its body, a body before its response.
    stream: InputStream,
    body: IncomingBody,
    _owner: IncomingResponse,
}

impl Response {
    /// Waits for the answer.
    pub(crate) fn wait(answer: &FutureIncomingResponse) -> Result<Self, Error> {
        loop {
            if let Some(response) = Self::poll(answer) {
                return response;
            }
            answer.subscribe().block();
        }
    }

    /// Returns the answer if it has arrived. It can be taken once.
    pub(crate) fn poll(answer: &FutureIncomingResponse) -> Option<Result<Self, Error>> {
        Some(match answer.get()? {
            Ok(Ok(response)) => Self::open(response),
            Ok(Err(code)) => Err(Transport::from(code).into()),
            Err(()) => Err(taken("the answer")),
        })
    }

    fn open(response: IncomingResponse) -> Result<Self, Error> {
        let headers = response.headers().entries();
        let body = response.consume().map_err(|()| taken("the answer's body"))?;
        let stream = body.stream().map_err(|()| taken("the answer's stream"))?;
        Ok(Self { status: response.status(), headers, stream, body, _owner: response })
    }

    /// Returns the HTTP status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns all headers, in the order of their arrival.
    #[must_use]
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// Returns the first header of that name, if it is text. The case does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        str::from_utf8(value).ok()
    }

    /// Turns an answer of 400 and above into the error that it reports.
    ///
    /// # Errors
    ///
    /// [`Error::Status`], or the error of reading its body.
    pub fn into_success(mut self) -> Result<Self, Error> {
        if self.status < 400 {
            return Ok(self);
        }
        let mut body = Vec::new();
        while body.len() < FAILURE_LIMIT
            && let Some(chunk) = self.chunk(CHUNK)?
        {
            body.extend_from_slice(&chunk);
        }
        Err(Status::read(self.status, &body).into())
    }

    /// Returns the next piece of the body, of at most `limit` bytes, as soon as it arrives, or `None` at the
    /// end.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if the body was cut short.
    pub fn chunk(&mut self, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match self.stream.blocking_read(limit) {
                // A stream may wake without having anything to give.
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => return Ok(Some(chunk)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(error)) => return Err(broken(&error)),
            }
        }
    }

    /// Returns the next piece of the body, of at most `limit` bytes, without waiting for it.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if the body was cut short.
    pub fn piece(&mut self, limit: u64) -> Result<Piece, Error> {
        match self.stream.read(limit) {
            Ok(bytes) if bytes.is_empty() => Ok(Piece::Later),
            Ok(bytes) => Ok(Piece::Bytes(bytes)),
            Err(StreamError::Closed) => Ok(Piece::End),
            Err(StreamError::LastOperationFailed(error)) => Err(broken(&error)),
        }
    }

    /// Returns what is ready once [`Response::piece`] returns another piece, or the end.
    #[must_use]
    pub fn ready(&self) -> Ready {
        Ready(self.stream.subscribe())
    }

    /// Returns the whole body. A body that may be large should be read by [`Response::chunk`] or
    /// [`Response::lines`].
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if the body was cut short.
    pub fn read_to_end(mut self) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(CHUNK)? {
            if body.is_empty() {
                body = chunk;
            } else {
                body.extend_from_slice(&chunk);
            }
        }
        Ok(body)
    }

    /// Returns the whole body, if it has at most this many bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Large`], or [`Error::Transport`] if the body was cut short.
    pub fn read_at_most(mut self, most: usize) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(CHUNK)? {
            if body.len() + chunk.len() > most {
                return Err(Error::Large(most));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Returns the trailers, once the body is read to its end.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if the body was cut short.
    pub fn trailers(self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        drop(self.stream);
        let trailers = IncomingBody::finish(self.body);
        loop {
            match trailers.get() {
                Some(Ok(Ok(fields))) => return Ok(fields.map_or_else(Vec::new, |fields| fields.entries())),
                Some(Ok(Err(code))) => return Err(Transport::from(code).into()),
                Some(Err(())) => return Err(taken("the trailers")),
                None => trailers.subscribe().block(),
            }
        }
    }

    /// Returns the body line by line, each as soon as it is complete: for a watch, or a log that is followed.
    #[must_use]
    pub fn lines(self) -> Lines {
        Lines { response: self, buffer: LineBuffer::default(), rest: None }
    }
}

/// The lines of an answer's body.
#[derive(Debug)]
pub struct Lines {
    response: Response,
    buffer: LineBuffer,
    rest: Option<Vec<u8>>,
}

impl Lines {
    /// Waits for the next line, and returns it without its end. The last line may lack one: see
    /// [`Lines::cut_off`].
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if the body was cut short. The part of the line received by then is lost.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, Error> {
        while !self.buffer.has_line() {
            let Some(chunk) = self.response.chunk(CHUNK)? else {
                self.rest = self.buffer.take_rest();
                return Ok(self.rest.as_deref());
            };
            self.buffer.push(chunk);
        }
        Ok(self.buffer.next_line())
    }

    /// Returns whether the next line is available. If not, it is time to flush the output.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.buffer.has_line()
    }

    /// Returns whether the last line was the body's last and had no newline, so that it may be incomplete.
    #[must_use]
    pub fn cut_off(&self) -> bool {
        self.rest.is_some()
    }
}

pub(crate) fn broken(error: &wasip2::io::error::Error) -> Error {
    let code = types::http_error_code(error);
    Transport::from(code.unwrap_or_else(|| types::ErrorCode::InternalError(Some(error.to_debug_string()))))
        .into()
}

pub(crate) fn taken(what: &str) -> Error {
    Error::Request { what: what.to_owned(), why: "taken already".to_owned() }
}
