//! `--request-timeout`: how long one request may take, its answer with it, as Go's `http.Client.Timeout` has it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::body::{Body, BodyError};
use super::failure::Failure;

/// What is called when an answer is cut off.
type OnTimeout = Box<dyn FnOnce() + Send>;

/// The body of an answer that has to be whole by a certain time.
struct Deadline {
    inner: Body,
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
    on_timeout: Option<OnTimeout>,
}

/// It was not.
#[derive(Debug, thiserror::Error)]
#[error("the response was not complete within {0:?}, the limit that --request-timeout sets")]
pub(super) struct Late(Duration);

/// Waits for an answer within `limit`, of which the body has what is left; `on_timeout` hears of one that is cut off.
pub(super) async fn within(
    limit: Option<Duration>,
    sent: impl Future<Output = Result<Response<Body>, Failure>>,
    on_timeout: impl FnOnce() + Send + 'static,
) -> Result<Response<Body>, Failure> {
    // A time that no clock reaches is none.
    let end = limit.and_then(|limit| Some((limit, Instant::now().checked_add(limit)?)));
    let Some((limit, end)) = end else { return sent.await };
    let response = timeout_at(end, sent).await.map_err(|_| Failure::RequestTimeout(limit))??;
    let on_timeout: OnTimeout = Box::new(on_timeout);
    Ok(response.map(|inner| {
        Deadline { inner, limit, sleep: Box::pin(sleep_until(end)), on_timeout: Some(on_timeout) }
            .boxed_unsync()
    }))
}

impl http_body::Body for Deadline {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            return Poll::Ready(frame);
        }
        match self.sleep.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                if let Some(on_timeout) = self.on_timeout.take() {
                    on_timeout();
                }
                Poll::Ready(Some(Err(Late(self.limit).into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
