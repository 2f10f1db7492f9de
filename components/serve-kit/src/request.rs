//! A request, as it comes.

use std::marker::PhantomData;

use wasip2::http::types::{IncomingBody, IncomingRequest, Method};
use wasip2::io::streams::{InputStream, StreamError};

/// The bytes that are read at a time.
const CHUNK: u64 = 64 << 10;

/// A request. Everything in it is its sender's: nothing is to be believed.
pub struct Request {
    incoming: IncomingRequest,
    target: String,
}

/// The body of a request, as it comes. It can be taken once.
pub struct Body<'a> {
    // The order matters: a stream must be dropped before its body, a body before its request.
    stream: InputStream,
    _whole: IncomingBody,
    _of: PhantomData<&'a Request>,
}

/// The reason why a body could not be read.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unread {
    /// It did not come to its end.
    #[error("the request's body is incomplete")]
    Broken,
    /// It was taken before.
    #[error("the request's body is read already")]
    Taken,
    /// It is too large.
    #[error("the request's body has more than {0} bytes")]
    TooLarge(usize),
}

impl From<IncomingRequest> for Request {
    fn from(incoming: IncomingRequest) -> Self {
        let target = incoming.path_with_query().unwrap_or_default();
        Self { incoming, target }
    }
}

impl Request {
    /// Returns the method, in capitals as it was sent.
    #[must_use]
    pub fn method(&self) -> String {
        match self.incoming.method() {
            Method::Get => "GET".to_owned(),
            Method::Head => "HEAD".to_owned(),
            Method::Post => "POST".to_owned(),
            Method::Put => "PUT".to_owned(),
            Method::Delete => "DELETE".to_owned(),
            Method::Connect => "CONNECT".to_owned(),
            Method::Options => "OPTIONS".to_owned(),
            Method::Trace => "TRACE".to_owned(),
            Method::Patch => "PATCH".to_owned(),
            Method::Other(name) => name,
        }
    }

    /// Returns the path without its query, as it was sent.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// Returns the path with its query, as it was sent.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns all headers, in the order in which they came.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        self.incoming.headers().entries()
    }

    /// Returns the header of this name, if there is exactly one, and it is text: of two, nobody knows which one counts.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.incoming.headers().get(name);
        let value = values.pop().filter(|_| values.is_empty())?;
        String::from_utf8(value).ok()
    }

    /// Returns its body, to be read in pieces.
    ///
    /// # Errors
    /// [`Unread::Taken`].
    pub fn body(&self) -> Result<Body<'_>, Unread> {
        let body = self.incoming.consume().map_err(|()| Unread::Taken)?;
        let stream = body.stream().map_err(|()| Unread::Taken)?;
        Ok(Body { stream, _whole: body, _of: PhantomData })
    }

    /// Reads the whole body, of at most this many bytes.
    ///
    /// # Errors
    /// If it has more, or does not come whole.
    pub fn read(&self, most: usize) -> Result<Vec<u8>, Unread> {
        let (mut body, mut content) = (self.body()?, Vec::new());
        while let Some(chunk) = body.chunk()? {
            if content.len() + chunk.len() > most {
                return Err(Unread::TooLarge(most));
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content)
    }
}

impl Body<'_> {
    /// Waits for the next piece; `None` is the end.
    ///
    /// # Errors
    /// [`Unread::Broken`].
    pub fn chunk(&mut self) -> Result<Option<Vec<u8>>, Unread> {
        loop {
            match self.stream.blocking_read(CHUNK) {
                // A stream may wake without having anything to give.
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => return Ok(Some(chunk)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(_)) => return Err(Unread::Broken),
            }
        }
    }
}
