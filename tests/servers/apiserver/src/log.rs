//! The received requests and their endings, for inspection by tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::{Body as _, Incoming};

/// One request as it arrived, in the order of arrival. Later calls of [`ApiServer::requests`] show how it went on.
///
/// [`ApiServer::requests`]: crate::ApiServer::requests
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Received {
    /// The number of the connection it came on, counted from 1.
    pub connection: u64,
    /// The host that the client named in its handshake (SNI); none for an IP address, and over plain HTTP.
    pub server_name: Option<String>,
    /// The subject of its certificate, if it showed one, without verification.
    pub certificate: Option<String>,
    /// The method.
    pub method: String,
    /// Path and query as they stood in the request line, undecoded.
    pub target: String,
    /// Names in lower case, values as sent.
    pub headers: Vec<(String, String)>,
    /// Trailers of a chunked body.
    pub trailers: Vec<(String, String)>,
    /// The user, after impersonation; `None` if none was recognised.
    pub user: Option<String>,
    /// Bytes of the request's body that arrived.
    pub bytes: u64,
    /// The progress of the request's body.
    pub upload: Upload,
    /// The status of the answer; `None` as long as there is none, or if the connection was cut instead.
    pub status: Option<u16>,
    /// Bytes of the answer's body that were handed to the connection.
    pub sent: u64,
    /// The progress of the answer.
    pub answer: Answer,
}

/// The progress of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// Still arriving.
    Open,
    /// Completely received: all of the `Content-Length`, or the last chunk. Also a request without a body.
    Complete,
    /// The client went away before the end.
    Aborted,
    /// The server answered without reading all of it.
    Unread,
}

/// The progress of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Not begun.
    Pending,
    /// Begun.
    Open,
    /// Handed to the connection to its last byte.
    Complete,
    /// Ended early: the client went away, or a fault cut it.
    Cut,
}

impl Received {
    /// Returns the value of the first header `name` (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// A body sent to `/sink` that arrived completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sunk {
    /// The length.
    pub bytes: u64,
    /// The SHA-256 of its bytes in lower-case hexadecimal digits.
    pub sha256: String,
}

#[derive(Default)]
pub(crate) struct Log {
    requests: Mutex<Vec<Received>>,
    sunk: Mutex<Vec<Sunk>>,
    failures: Mutex<Vec<String>>,
}

impl Log {
    pub(crate) fn requests(&self) -> Vec<Received> {
        lock(&self.requests).clone()
    }

    pub(crate) fn begin(self: &Arc<Self>, received: Received) -> Entry {
        let mut requests = lock(&self.requests);
        requests.push(received);
        Entry { log: Arc::clone(self), index: requests.len() - 1 }
    }

    pub(crate) fn sunk(&self) -> Vec<Sunk> {
        lock(&self.sunk).clone()
    }

    pub(crate) fn add_sunk(&self, sunk: Sunk) {
        lock(&self.sunk).push(sunk);
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        lock(&self.failures).clone()
    }

    pub(crate) fn add_failure(&self, failure: String) {
        lock(&self.failures).push(failure);
    }
}

/// One request's place in the log.
#[derive(Clone)]
pub(crate) struct Entry {
    log: Arc<Log>,
    index: usize,
}

impl Entry {
    pub(crate) fn update(&self, change: impl FnOnce(&mut Received)) {
        if let Some(received) = lock(&self.log.requests).get_mut(self.index) {
            change(received);
        }
    }
}

/// The client went away, or broke the protocol, before its body was complete.
#[derive(Debug)]
pub(crate) struct Aborted;

/// A request's body that keeps the log up to date while it is read, and when it is dropped.
pub(crate) struct RequestBody {
    body: Incoming,
    entry: Entry,
    ended: bool,
}

impl RequestBody {
    pub(crate) fn new(body: Incoming, entry: Entry) -> Self {
        let ended = body.is_end_stream();
        if ended {
            entry.update(|received| received.upload = Upload::Complete);
        }
        Self { body, entry, ended }
    }

    /// Returns the next piece; `None` once the end was seen.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Aborted> {
        while !self.ended {
            match self.body.frame().await {
                None => self.end(Upload::Complete),
                Some(Err(_)) => {
                    self.end(Upload::Aborted);
                    return Err(Aborted);
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.entry.update(|received| received.bytes += data.len() as u64);
                        return Ok(Some(data));
                    }
                    Err(other) => {
                        let trailers = other.into_trailers().unwrap_or_default();
                        self.entry.update(|received| received.trailers = pairs(&trailers));
                    }
                },
            }
        }
        Ok(None)
    }

    /// Returns the rest of the body.
    pub(crate) async fn collect(&mut self) -> Result<Vec<u8>, Aborted> {
        let mut all = Vec::new();
        while let Some(data) = self.next().await? {
            all.extend_from_slice(&data);
        }
        Ok(all)
    }

    /// Reads on past an early answer, at most `limit` bytes as Go's server does, so that the client gets to read
    /// it and may keep the connection. Says whether the end was reached.
    pub(crate) async fn drain(&mut self, limit: u64) -> Result<bool, Aborted> {
        let mut read = 0;
        while read < limit {
            match self.next().await? {
                Some(data) => read += data.len() as u64,
                None => return Ok(true),
            }
        }
        self.end(Upload::Unread);
        Ok(false)
    }

    fn end(&mut self, upload: Upload) {
        self.ended = true;
        self.entry.update(|received| received.upload = upload);
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        // Requests that end on this side are drained first: only a lost connection drops one midway.
        if !self.ended {
            self.end(Upload::Aborted);
        }
    }
}

pub(crate) fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
