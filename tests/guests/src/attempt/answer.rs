//! An answer, and who made it.

use crate::attempt::request::error_name;
use kube_guest::Status;
use wasip2::http::types::{self, IncomingBody, IncomingResponse};
use wasip2::io::streams::{InputStream, StreamError};

/// As much of a body as is kept, in bytes.
const KEPT: usize = 1024 * 1024;

/// An answer: its status and headers are here, its body comes as it is read.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    read: Option<Vec<u8>>,
    // The order matters: a stream must be dropped before its body, a body before its response.
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
}

impl Answer {
    pub(crate) fn open(response: IncomingResponse) -> Result<Self, String> {
        let headers = response.headers().entries();
        let body = response.consume().map_err(|()| "no body".to_owned())?;
        let stream = body.stream().map_err(|()| "no stream".to_owned())?;
        let status = response.status();
        Ok(Self { status, headers, read: None, stream, _body: body, _response: response })
    }

    /// Returns the HTTP status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns all headers that the guest gets to see, in the order in which they came.
    #[must_use]
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// Returns the values of a header. Upper and lower case are the same.
    pub fn values(&self, name: &str) -> impl Iterator<Item = String> {
        let named = self.headers.iter().filter(move |(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// Returns the answer if a server made it. Only a failure is read for that, since a watch may be silent
    /// for hours.
    ///
    /// # Errors
    ///
    /// The status and the words of kwasm, if that made it.
    pub fn of_server(mut self) -> Result<Self, String> {
        if self.is_kwasm() { Err(self.shown()) } else { Ok(self) }
    }

    /// Returns whether kwasm answered instead of a server.
    pub fn is_kwasm(&mut self) -> bool {
        self.status >= 400 && self.told().message.starts_with("refused by kwasm")
    }

    /// Returns the status, with what a failure says of itself.
    pub fn shown(&mut self) -> String {
        let message = if self.status < 400 { String::new() } else { self.told().message };
        match message.as_str() {
            "" => format!("status {}", self.status),
            message => format!("status {}: {message}", self.status),
        }
    }

    /// Returns the body, or what came of it: at most 1 MiB.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.whole()).into_owned()
    }

    /// Returns the next piece of the body, `None` at its end. Not to be mixed with the methods that read the
    /// body whole.
    ///
    /// # Errors
    ///
    /// The name of wasi:http's error: the body broke off.
    pub fn chunk(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self.stream.blocking_read(kube_guest::CHUNK) {
            Ok(chunk) => Ok(Some(chunk)),
            Err(StreamError::Closed) => Ok(None),
            Err(StreamError::LastOperationFailed(error)) => {
                Err(types::http_error_code(&error).map_or_else(|| error.to_debug_string(), error_name))
            }
        }
    }

    fn told(&mut self) -> Status {
        let status = self.status;
        Status::read(status, self.whole())
    }

    fn whole(&mut self) -> &[u8] {
        if self.read.is_none() {
            let mut read = Vec::new();
            while read.len() < KEPT
                && let Ok(Some(chunk)) = self.chunk()
            {
                read.extend_from_slice(&chunk);
            }
            self.read = Some(read);
        }
        self.read.as_deref().unwrap_or_default()
    }
}
