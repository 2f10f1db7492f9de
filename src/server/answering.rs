//! Requests on their way to the plugin: how many at a time, and what a client gets when there is no answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::listener::Service;
use super::metrics::Metrics;
use super::options::Options;
use crate::runtime::{Answer, Fault, Handler, HttpError, Visit};

/// Answers requests by a plugin, as many at a time as there are slots.
#[derive(Clone)]
pub(super) struct Answering(Arc<Shared>);

struct Shared {
    handler: Handler,
    slots: Arc<Semaphore>,
    requests: u32,
    deadline: Duration,
    metrics: Arc<Metrics>,
}

/// A request under way: its slot, until its instance is gone.
struct Slot {
    began: Instant,
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.metrics.ended(self.began.elapsed());
    }
}

impl Answering {
    pub(super) fn new(handler: Handler, options: &Options, metrics: Arc<Metrics>) -> Self {
        let slots = Arc::new(Semaphore::new(options.requests as usize));
        Self(Arc::new(Shared {
            handler,
            slots,
            requests: options.requests,
            deadline: options.deadline,
            metrics,
        }))
    }

    /// Waits until no request is under way.
    pub(super) async fn settled(&self) {
        drop(self.0.slots.acquire_many(self.0.requests).await);
    }
}

impl Service for Answering {
    type Answer = Either<Answer, Full<Bytes>>;

    async fn answer(&self, request: Request<Incoming>, is_tls: bool) -> Response<Self::Answer> {
        let Shared { handler, slots, deadline, metrics, .. } = &*self.0;
        let response = if has_authority(&request) {
            match Arc::clone(slots).try_acquire_owned() {
                Ok(permit) => {
                    let slot = Slot { began: Instant::now(), metrics: Arc::clone(metrics), _permit: permit };
                    metrics.began();
                    let request = request.map(|body| body.map_err(|_| HttpError::ConnectionTerminated));
                    let visit = Visit { request, is_tls, time: *deadline };
                    match handler.answer(visit, slot).await {
                        Ok(answer) => answer.map(Either::Left),
                        Err(fault) => failed(&fault),
                    }
                }
                Err(_) => crowded(),
            }
        } else {
            plain(StatusCode::BAD_REQUEST, "the request names no host\n")
        };
        metrics.answered(response.status());
        response
    }
}

/// Returns whether a request says which host it is for, without which WASI has no request.
fn has_authority<B>(request: &Request<B>) -> bool {
    request.uri().authority().is_some()
        || request.headers().get(HOST).is_some_and(|host| host.to_str().is_ok())
}

/// The client learns what it can do about it, and nothing of the plugin's inside.
fn failed(fault: &Fault) -> Response<Either<Answer, Full<Bytes>>> {
    match fault {
        Fault::Late(_) => plain(StatusCode::GATEWAY_TIMEOUT, "the plugin took too long\n"),
        Fault::System(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "there is no room for the request\n"),
        Fault::Failed(_) | Fault::Limited(..) | Fault::Silent | Fault::Trapped(_) => {
            plain(StatusCode::BAD_GATEWAY, "the plugin failed\n")
        }
    }
}

fn crowded() -> Response<Either<Answer, Full<Bytes>>> {
    let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "too many requests at a time\n");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Either<Answer, Full<Bytes>>> {
    let mut response = Response::new(Either::Right(Full::new(Bytes::from_static(text.as_bytes()))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
