//! The requests that the registry received.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::http::request::Parts;

use super::route::Kind;

/// One of the registry's two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The other host, to which blobs and pages may lead. It requires no login.
    Elsewhere,
    /// The registry itself.
    Registry,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// The host of the request.
    pub side: Side,
    /// The kind of the request.
    pub kind: Kind,
    /// The method, e.g. `GET`.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// Every header, with its name in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, e.g. a form for the token endpoint.
    pub body: String,
    /// The status of the answer, unless the connection was cut in place of one.
    pub status: Option<u16>,
}

impl Received {
    /// Returns a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a field in the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        value(self.target.split_once('?').map_or("", |(_, query)| query), name)
    }

    /// Returns the value of a field in the form that the body is.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<String> {
        value(&self.body, name)
    }

    pub(crate) fn new(side: Side, kind: Kind, head: &Parts, body: &[u8]) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
        Self {
            side,
            kind,
            method: head.method.to_string(),
            target: head.uri.path_and_query().map_or_else(|| head.uri.to_string(), ToString::to_string),
            headers: headers.collect(),
            body: text(body),
            status: None,
        }
    }
}

fn value(form: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(form.as_bytes())
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.into_owned())
}

/// All requests, in the order of their arrival.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<Received>>);

impl Log {
    /// Adds a request and returns its number.
    pub(crate) fn begin(&self, received: Received) -> usize {
        let mut log = self.lock();
        log.push(received);
        log.len() - 1
    }

    pub(crate) fn answered(&self, number: usize, status: u16) {
        if let Some(received) = self.lock().get_mut(number) {
            received.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Received>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
