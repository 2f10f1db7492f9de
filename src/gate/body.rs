//! Bodies in either direction, and hooks that act on them while they pass.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::time::{Instant, Sleep, sleep};

/// An error of a body while it streams.
pub(crate) type BodyError = Box<dyn Error + Send + Sync>;

/// A body in either direction, through either door.
pub(crate) type Body = UnsyncBoxBody<Bytes, BodyError>;

/// The result of one poll of a body.
pub(super) type Polled = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

/// Acts on a body while it passes.
pub(super) trait Hook: Unpin {
    /// Receives the result of polling `inner`, and returns the result to pass on.
    fn polled(&mut self, polled: Polled, inner: &impl http_body::Body, context: &mut Context<'_>) -> Polled;

    /// Returns whether the body's own statement that it has ended can be trusted.
    fn lets_end(&self) -> bool {
        true
    }
}

/// A body that passes a hook. Its properties are those of the inner body, which is polled only when this is
/// polled, so that a slow reader is not sent more.
pub(crate) struct Hooked<H, B = Body> {
    /// The hook. It comes first, so that it is dropped before the body.
    pub(super) hook: H,
    pub(super) inner: B,
}

impl<H, B> http_body::Body for Hooked<H, B>
where
    H: Hook,
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        let Self { hook, inner } = &mut *self;
        let polled = Pin::new(&mut *inner).poll_frame(context);
        hook.polled(polled.map(|frame| frame.map(|frame| frame.map_err(Into::into))), inner, context)
    }

    fn is_end_stream(&self) -> bool {
        self.hook.lets_end() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads the body of a refused request to its end and drops it. It ends with its guest at the latest.
pub(super) async fn drain(mut body: Body) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// Ends a body whose reader waits longer than `limit` for the next bytes.
pub(super) struct Timed {
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
}

/// The error if no bytes arrived within the guest's own timeout.
#[derive(Debug, thiserror::Error)]
#[error("no bytes arrived within {0:?}")]
pub(super) struct TooSlow(pub(super) Duration);

impl Timed {
    /// Returns a response's body with this limit.
    pub(super) fn body<B>(inner: B, limit: Duration) -> Hooked<Self, B> {
        Hooked { hook: Self { limit, sleep: Box::pin(sleep(limit)) }, inner }
    }
}

impl Hook for Timed {
    fn polled(&mut self, polled: Polled, _: &impl http_body::Body, context: &mut Context<'_>) -> Polled {
        if polled.is_ready() {
            self.sleep.as_mut().reset(Instant::now() + self.limit);
            return polled;
        }
        match self.sleep.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(TooSlow(self.limit).into()))),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_body_is_given_up_after_the_guests_own_limit() {
        let silent = http_body_util::StreamBody::new(Silent);
        let mut timed = Timed::body(silent, Duration::from_millis(10));
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
