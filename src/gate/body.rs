//! Bodies on their way out, which end as aborted when their guest ends, and on their way in, which may be waited for.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_LENGTH, HeaderMap};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;

use super::replay::{self, Record};
use crate::defence::{Defence, stands};

/// What goes wrong with a body while it streams.
pub(crate) type BodyError = Box<dyn Error + Send + Sync>;

/// A body in either direction, through either door.
pub(crate) type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Whether a guest still lives, or a connection of it.
#[derive(Clone, Default)]
pub(super) struct GuestLifetime(CancellationToken);

impl GuestLifetime {
    /// A life that ends with this one at the latest.
    pub(super) fn part(&self) -> Self {
        Self(self.0.child_token())
    }

    pub(super) fn end(&self) {
        self.0.cancel();
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) {
        self.0.cancelled().await;
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// A body that a guest sends.
///
/// wasmtime-wasi-http 48.0.8 ends a body cleanly when the store that holds its other end is dropped
/// (`p2/body.rs`, `RecvError` becomes `None`), and a cut-off PATCH would reach the API server as a whole one. Once
/// the guest has ended, such an end is an error instead, by which hyper closes the connection.
///
/// Nor does it say one length and have another: what came after its end would be another request to the server.
pub(crate) struct GuestBody {
    inner: Body,
    lifetime: GuestLifetime,
    /// The bytes that are still to come, where it was said how many there are.
    left: Option<u64>,
}

/// A body that may be sent once more.
pub(super) struct Again {
    record: Record,
    lifetime: GuestLifetime,
    left: Option<u64>,
}

impl Again {
    /// The body, if all of it was sent and kept.
    pub(super) fn replayed(self) -> Option<GuestBody> {
        let Self { record, lifetime, left } = self;
        Some(GuestBody { inner: record.replayed()?, lifetime, left })
    }
}

/// The guest ended before its request did.
#[derive(Debug, thiserror::Error)]
#[error("the plugin ended before its request was complete")]
struct Cut;

/// The body has another length than its request said.
#[derive(Debug, thiserror::Error)]
#[error("the plugin's request is not as long as its content length")]
struct OtherLength;

impl GuestBody {
    /// A body of which `headers` may say the length.
    pub(super) fn new(inner: Body, lifetime: GuestLifetime, headers: &HeaderMap) -> Self {
        let said = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Self { inner, lifetime, left: said }
    }

    /// The same body, which is kept while it is sent: to be sent once more, as one that keeps all of these promises too.
    pub(super) fn recorded(self, method: &Method) -> (Self, Again) {
        let Self { inner, lifetime, left } = self;
        let (inner, record) = replay::record(inner, method, left);
        let again = Again { record, lifetime: lifetime.clone(), left };
        (Self { inner, lifetime, left }, again)
    }

    /// Counts what passes.
    fn counted(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(bytes).ok_or(OtherLength)?;
        }
        Ok(super::headers::outgoing_frame(frame))
    }
}

impl http_body::Body for GuestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(None) if self.lifetime.is_over() && stands(Defence::AbortedBodies) => {
                Poll::Ready(Some(Err(Cut.into())))
            }
            Poll::Ready(None) if self.left.is_some_and(|left| left > 0) => {
                Poll::Ready(Some(Err(OtherLength.into())))
            }
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.counted(frame))),
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        // Where hyper believes it, it asks no further, and sends a length without its bytes.
        self.left.unwrap_or(0) == 0 && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads a body of a refused request to its end, and forgets it. It ends with its guest at the latest.
pub(super) async fn drain(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// A response's body whose reader does not wait longer than `limit` for the next bytes.
pub(super) struct Timed<B> {
    inner: B,
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
}

/// No bytes came for as long as the guest was willing to wait.
#[derive(Debug, thiserror::Error)]
#[error("no bytes arrived within {0:?}")]
pub(super) struct TooSlow(Duration);

impl<B> Timed<B> {
    pub(super) fn new(inner: B, limit: Duration) -> Self {
        Self { inner, limit, sleep: Box::pin(sleep(limit)) }
    }
}

impl<B> http_body::Body for Timed<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let limit = self.limit;
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.sleep.as_mut().reset(Instant::now() + limit);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        match self.sleep.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(TooSlow(limit).into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
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

    #[tokio::test]
    async fn a_silent_body_is_given_up_after_the_guests_own_limit() {
        let silent = http_body_util::StreamBody::new(Silent);
        let mut timed = Timed::new(silent, Duration::from_millis(10));
        assert!(timed.frame().await.unwrap().unwrap_err().is::<TooSlow>());
    }

    struct Silent;

    impl futures_core::Stream for Silent {
        type Item = Result<Frame<Bytes>, BodyError>;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Pending
        }
    }
}
