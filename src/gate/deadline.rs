//! `--request-timeout`: how long one request may take, its answer with it, as Go's `http.Client.Timeout` has it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::Response;
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::body::{Body, Hook, Hooked, Polled};
use super::failure::Failure;

/// Who is told that an answer was cut off.
type Told = Box<dyn FnOnce() + Send>;

/// What ends the body of an answer that has to be whole by a certain time.
struct Deadline {
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
    told: Option<Told>,
}

/// It was not.
#[derive(Debug, thiserror::Error)]
#[error("the answer was not whole within {0:?}, the time that --request-timeout gives")]
pub(super) struct Late(Duration);

/// Waits for an answer within `limit`, of which the body has what is left; `told` hears of one that is cut off.
pub(super) async fn within(
    limit: Option<Duration>,
    sent: impl Future<Output = Result<Response<Body>, Failure>>,
    told: impl FnOnce() + Send + 'static,
) -> Result<Response<Body>, Failure> {
    // A time that no clock reaches is none.
    let end = limit.and_then(|limit| Some((limit, Instant::now().checked_add(limit)?)));
    let Some((limit, end)) = end else { return sent.await };
    let response = timeout_at(end, sent).await.map_err(|_| Failure::RequestTimeout(limit))??;
    let told: Told = Box::new(told);
    Ok(response.map(|inner| {
        let hook = Deadline { limit, sleep: Box::pin(sleep_until(end)), told: Some(told) };
        Hooked { hook, inner }.boxed_unsync()
    }))
}

impl Hook for Deadline {
    fn polled(&mut self, polled: Polled, _: &impl http_body::Body, context: &mut Context<'_>) -> Polled {
        if polled.is_ready() || self.sleep.as_mut().poll(context).is_pending() {
            return polled;
        }
        if let Some(told) = self.told.take() {
            told();
        }
        Poll::Ready(Some(Err(Late(self.limit).into())))
    }
}
