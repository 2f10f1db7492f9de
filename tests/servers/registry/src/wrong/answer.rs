//! An answer before it is HTTP.

use bytes::Bytes;
use serde_json::{Value, json};

use super::body::{Manner, Sent};
use super::fault::{Action, Fault};
use super::wire::Wire;

/// Status, headers and the whole body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    length: Length,
}

/// The value of `Content-Length`.
#[derive(Clone, Copy, Debug)]
enum Length {
    Claimed(u64),
    True,
    Unsaid,
}

impl Answer {
    pub(crate) fn new(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![
            ("content-type".to_owned(), media_type.to_owned()),
            ("docker-distribution-api-version".to_owned(), "registry/2.0".to_owned()),
        ];
        Self { status, headers, body: body.into(), length: Length::True }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// Returns an error in the words of the distribution specification.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &json!({"errors": [{"code": code, "message": message}]}))
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Returns the part of the body that a `Range` requests. For anything but a single range, returns the
    /// whole answer.
    pub(crate) fn ranged(self, range: Option<&str>) -> Self {
        let length = self.body.len();
        let Some((first, last)) = range.and_then(bounds) else { return self };
        if first >= length {
            return Self::error(416, "RANGE_INVALID", "the range begins behind the end")
                .header("content-range", format!("bytes */{length}"));
        }
        let last = last.min(length - 1);
        let answer = Self { status: 206, body: self.body.slice(first..=last), ..self };
        answer.header("content-range", format!("bytes {first}-{last}/{length}"))
    }

    /// Applies a fault, and returns how the body is to be sent.
    pub(crate) fn under(mut self, fault: &Fault) -> (Self, Manner) {
        let mut manner = Manner::Whole;
        match &fault.action {
            // These replace an answer, and the service has handled them.
            Action::Cut | Action::Lose | Action::None | Action::Page | Action::Status(_) => {}
            Action::Body(body) => self.body = body.clone(),
            Action::Chunked => self.length = Length::Unsaid,
            Action::ContentLength(length) => {
                self.length = Length::Claimed(*length);
                // What there is shall have left before HTTP notices that something is missing.
                manner = Manner::Cut { after: u64::MAX };
            }
            Action::Corrupt => self.body = corrupted(&self.body),
            Action::CutBody { after } => manner = Manner::Cut { after: *after },
            Action::Endless => {
                self.length = Length::Unsaid;
                manner = Manner::Endless;
            }
            Action::Slow { bytes, every } => manner = Manner::slow(*bytes, *every),
            Action::StallBody { after } => manner = Manner::Stall { after: *after },
        }
        for (name, value) in &fault.headers {
            match value {
                Some(value) => self = self.header(name, value),
                None => self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name)),
            }
        }
        (self, manner)
    }

    pub(crate) fn send(
        self,
        manner: Manner,
        wire: &Wire,
    ) -> Result<hyper::Response<Sent>, hyper::http::Error> {
        let mut response = hyper::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        match self.length {
            Length::Claimed(length) => response = response.header("content-length", length),
            Length::True => response = response.header("content-length", self.body.len()),
            Length::Unsaid => {}
        }
        response.body(Sent::new(self.body, manner, wire))
    }
}

/// Returns the first and last byte of a single range, e.g. of `bytes=4-`.
fn bounds(range: &str) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let last = if last.is_empty() { usize::MAX } else { last.parse().ok()? };
    (first <= last).then_some((first, last))
}

fn corrupted(body: &Bytes) -> Bytes {
    let mut bytes = body.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_single_range_is_none() {
        assert_eq!(bounds("bytes=4-"), Some((4, usize::MAX)));
        assert_eq!(bounds("bytes=4-4"), Some((4, 4)));
        for range in ["bytes=4-3", "bytes=-4", "bytes=0-1,4-5", "lines=1-2", "bytes=4"] {
            assert_eq!(bounds(range), None, "{range}");
        }
    }
}
