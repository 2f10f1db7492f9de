//! Requests on their way to the plugin: how many at a time, and what a client gets when there is no answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::admission::{NoReview, Review, Webhook};
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
    webhook: Option<Webhook>,
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
            webhook: options.webhook,
            deadline: options.deadline,
            metrics,
        }))
    }

    /// Waits until no request is under way.
    pub(super) async fn settled(&self) {
        drop(self.0.slots.acquire_many(self.0.requests).await);
    }
}

type Reply = Response<Either<Answer, Full<Bytes>>>;

impl Service for Answering {
    type Answer = Either<Answer, Full<Bytes>>;

    async fn answer(&self, request: Request<Incoming>, is_tls: bool) -> Reply {
        let reply = match (has_authority(&request), self.0.webhook) {
            (false, _) => plain(StatusCode::BAD_REQUEST, "the request names no host\n"),
            (true, None) => self.0.pass(request, is_tls).await,
            (true, Some(webhook)) => self.0.review(webhook, request, is_tls).await,
        };
        self.0.metrics.answered(reply.status());
        reply
    }
}

impl Shared {
    /// Passes a request on as it is.
    async fn pass(&self, request: Request<Incoming>, is_tls: bool) -> Reply {
        let request = request.map(|body| body.map_err(|_| HttpError::ConnectionTerminated));
        match self.visit(Visit { request, is_tls, time: self.deadline }).await {
            Ok(answer) => answer.map(Either::Left),
            Err(reply) => *reply,
        }
    }

    /// Passes a review on, and the answer back if it is a verdict.
    async fn review(&self, webhook: Webhook, request: Request<Incoming>, is_tls: bool) -> Reply {
        let (parts, body) = request.into_parts();
        let review = match Review::read(&parts, body).await {
            Ok(review) => review,
            Err(NoReview(status, why)) => return plain(status, why),
        };
        let body =
            Full::new(review.content.clone()).map_err(|never: Infallible| -> HttpError { match never {} });
        let visit =
            Visit { request: Request::from_parts(parts, body), is_tls, time: review.time(self.deadline) };
        let answer = match self.visit(visit).await {
            Ok(answer) => answer,
            Err(reply) => return *reply,
        };
        match review.verdict(webhook, answer.status(), answer.into_body()).await {
            Ok((content, allowed)) => {
                self.metrics.reviewed(allowed);
                let mut reply = plain(StatusCode::OK, content);
                reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                reply
            }
            Err(why) => {
                let fault = Fault::Unfit(why);
                self.handler.tell(&fault);
                failed(&fault)
            }
        }
    }

    /// Lets the plugin answer, if there is a slot.
    ///
    /// # Errors
    /// What the client gets when there is no answer.
    async fn visit<B>(&self, visit: Visit<B>) -> Result<Response<Answer>, Box<Reply>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<HttpError>,
    {
        let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() else { return Err(Box::new(crowded())) };
        let slot = Slot { began: Instant::now(), metrics: Arc::clone(&self.metrics), _permit: permit };
        self.metrics.began();
        self.handler.answer(visit, slot).await.map_err(|fault| Box::new(failed(&fault)))
    }
}

/// Returns whether a request says which host it is for, without which WASI has no request.
fn has_authority<B>(request: &Request<B>) -> bool {
    request.uri().authority().is_some()
        || request.headers().get(HOST).is_some_and(|host| host.to_str().is_ok())
}

/// The client learns what it can do about it, and nothing of the plugin's inside.
fn failed(fault: &Fault) -> Reply {
    match fault {
        Fault::Late(_) => plain(StatusCode::GATEWAY_TIMEOUT, "the plugin took too long\n"),
        Fault::System(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "there is no room for the request\n"),
        Fault::Unfit(why) => {
            plain(StatusCode::BAD_GATEWAY, format!("the plugin's answer is not a verdict: {why}\n"))
        }
        Fault::Failed(_) | Fault::Limited(..) | Fault::Silent | Fault::Trapped(_) => {
            plain(StatusCode::BAD_GATEWAY, "the plugin failed\n")
        }
    }
}

fn crowded() -> Reply {
    let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "too many requests at a time\n");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    let mut response = Response::new(Either::Right(Full::new(text.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
