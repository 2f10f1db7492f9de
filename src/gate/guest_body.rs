//! Bodies that guests send, which end as aborted when their guest ends.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_LENGTH, HeaderMap};
use http_body::Frame;
use http_body_util::BodyExt;

use super::body::{Body, BodyError, Hook, Hooked, Polled};
use super::lifetime::GuestLifetime;
use super::{headers, replay};
use crate::defence::Defence;

/// A body that a guest sends.
///
/// wasmtime-wasi-http 48.0.8 ends a body cleanly when the store that holds its other end is dropped
/// (`p2/body.rs`, `RecvError` becomes `None`), and a cut-off PATCH would reach the API server as a whole one.
/// Once the guest has ended, such an end is an error instead, by which hyper closes the connection.
///
/// Its length cannot differ from the stated one either: the bytes beyond would be another request to the
/// server.
pub(crate) type GuestBody = Hooked<Promises>;

/// Checks a guest's body against the rules.
pub(crate) struct Promises {
    lifetime: GuestLifetime,
    /// The number of remaining bytes, if the length was stated.
    left: Option<u64>,
}

/// A body that may be sent a second time.
pub(super) struct Again {
    record: replay::Record,
    lifetime: GuestLifetime,
    left: Option<u64>,
}

impl Again {
    /// Returns the body, if all of it was sent and kept.
    pub(super) fn replayed(self) -> Option<GuestBody> {
        let Self { record, lifetime, left } = self;
        Some(Hooked { hook: Promises { lifetime, left }, inner: record.replayed()? })
    }
}

/// The error of a request whose guest ended.
#[derive(Debug, thiserror::Error)]
#[error("the plugin ended before its request was complete")]
struct Cut;

/// The error of a body whose length differs from the stated one.
#[derive(Debug, thiserror::Error)]
#[error("the plugin's request is not as long as its content length")]
struct OtherLength;

impl GuestBody {
    /// Returns a body whose length `headers` may state.
    pub(super) fn new(inner: Body, lifetime: GuestLifetime, headers: &HeaderMap) -> Self {
        let said = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Self { hook: Promises { lifetime, left: said }, inner }
    }

    /// Returns the same body, which passes a hook first.
    pub(super) fn hooked(self, hook: impl Hook + Send + 'static) -> Self {
        let Self { hook: promises, inner } = self;
        Self { hook: promises, inner: Hooked { hook, inner }.boxed_unsync() }
    }

    /// Returns the same body, which is kept while it is sent, to be sent a second time under the same
    /// guarantees.
    pub(super) fn recorded(self, method: &Method) -> (Self, Again) {
        let Self { hook, inner } = self;
        let (inner, record) = replay::record(inner, method, hook.left);
        let again = Again { record, lifetime: hook.lifetime.clone(), left: hook.left };
        (Self { hook, inner }, again)
    }
}

impl Promises {
    /// Counts the bytes of a frame.
    fn counted(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(bytes).ok_or(OtherLength)?;
        }
        Ok(headers::outgoing_frame(frame))
    }
}

impl Hook for Promises {
    fn polled(&mut self, polled: Polled, _: &impl http_body::Body, _: &mut Context<'_>) -> Polled {
        match polled {
            Poll::Ready(None) if Defence::AbortedBodies.stops(self.lifetime.is_over()) => {
                Poll::Ready(Some(Err(Cut.into())))
            }
            Poll::Ready(None) if self.left.is_some_and(|left| left > 0) => {
                Poll::Ready(Some(Err(OtherLength.into())))
            }
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.counted(frame))),
            polled => polled,
        }
    }

    fn lets_end(&self) -> bool {
        // Where hyper believes it, it asks no further, and sends a length without its bytes.
        self.left.unwrap_or(0) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    fn body(lifetime: &GuestLifetime) -> GuestBody {
        saying(lifetime, &HeaderMap::new())
    }

    fn saying(lifetime: &GuestLifetime, headers: &HeaderMap) -> GuestBody {
        let body = Full::new(Bytes::from("x")).map_err(|never| match never {}).boxed_unsync();
        GuestBody::new(body, lifetime.clone(), headers)
    }

    #[tokio::test]
    async fn a_body_is_as_long_as_was_said_or_an_error() {
        for (said, passes) in [("1", true), ("0", false), ("2", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_LENGTH, said.parse().unwrap());
            let body = saying(&GuestLifetime::default(), &headers);
            assert_eq!(body.collect().await.is_ok(), passes, "{said}");
        }
    }

    #[tokio::test]
    async fn a_body_ends_while_its_guest_lives_and_is_cut_when_it_does_not() {
        let lifetime = GuestLifetime::default();
        assert_eq!(body(&lifetime).collect().await.unwrap().to_bytes(), "x");
        lifetime.end();
        assert!(body(&lifetime).collect().await.is_err());
    }
}
