//! `--request-timeout`: the timeout of one request, including its answer, like Go's `http.Client.Timeout`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::Response;
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::body::{Body, Hook, Hooked, Polled};
use super::failure::Failure;

/// The callback for an answer that was cut off.
type OnTimeout = Box<dyn FnOnce() + Send>;

/// Ends the body of an answer that has to be complete by a certain time.
struct Deadline {
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
    on_timeout: Option<OnTimeout>,
}

/// The error of a body that was not complete in time.
#[derive(Debug, thiserror::Error)]
#[error("the response was not complete within {0:?}, the limit that --request-timeout sets")]
pub(super) struct Late(Duration);

/// Waits for an answer within `limit`; its body gets the remaining time. `on_timeout` is called if it is cut
/// off.
pub(super) async fn within(
    limit: Option<Duration>,
    sent: impl Future<Output = Result<Response<Body>, Failure>>,
    on_timeout: impl FnOnce() + Send + 'static,
) -> Result<Response<Body>, Failure> {
    // A time beyond the clock's range means no limit.
    let end = limit.and_then(|limit| Some((limit, Instant::now().checked_add(limit)?)));
    let Some((limit, end)) = end else { return sent.await };
    let response = timeout_at(end, sent).await.map_err(|_| Failure::RequestTimeout(limit))??;
    let on_timeout: OnTimeout = Box::new(on_timeout);
    Ok(response.map(|inner| {
        let hook = Deadline { limit, sleep: Box::pin(sleep_until(end)), on_timeout: Some(on_timeout) };
        Hooked { hook, inner }.boxed_unsync()
    }))
}

impl Hook for Deadline {
    fn polled(&mut self, polled: Polled, _: &impl http_body::Body, context: &mut Context<'_>) -> Polled {
        if polled.is_ready() || self.sleep.as_mut().poll(context).is_pending() {
            return polled;
        }
        if let Some(on_timeout) = self.on_timeout.take() {
            on_timeout();
        }
        Poll::Ready(Some(Err(Late(self.limit).into())))
    }
}
