//! Requests on their way to the plugin: how many at a time, and what a client gets when there is no answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::admission::{NoReview, Review, Webhook};
use super::listener::Service;
use super::metrics::Metrics;
use super::options::Options;
use super::spans::{Spans, Work};
use crate::runtime::{Answer, Fault, Handler, HttpError, Visit};

/// The time in which a review has to come. An API server sends it at once, and others who do not must not take all slots.
const SENDING: Duration = Duration::from_secs(3);

/// Answers requests by a plugin, as many at a time as there are slots.
#[derive(Clone)]
pub(super) struct Answering(Arc<Shared>);

struct Shared {
    handler: Handler,
    slots: Arc<Semaphore>,
    requests: u32,
    webhook: Option<Webhook>,
    deadline: Duration,
    spans: Spans,
    metrics: Arc<Metrics>,
}

/// A request under way: its slot, until its instance is gone.
struct Slot {
    began: Instant,
    _work: Arc<Work>,
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.metrics.ended(self.began.elapsed());
    }
}

impl Answering {
    pub(super) fn new(handler: Handler, options: &Options, spans: Spans, metrics: Arc<Metrics>) -> Self {
        let slots = Arc::new(Semaphore::new(options.requests as usize));
        Self(Arc::new(Shared {
            handler,
            slots,
            requests: options.requests,
            webhook: options.webhook,
            deadline: options.deadline,
            spans,
            metrics,
        }))
    }

    /// Ends what the plugin has in flight.
    pub(super) async fn end(&self) {
        self.0.handler.end().await;
    }

    /// Waits until no request is under way.
    pub(super) async fn settled(&self) {
        drop(self.0.slots.acquire_many(self.0.requests).await);
    }
}

type Reply = Response<Either<Answer, Full<Bytes>>>;

impl Service for Answering {
    type Answer = Either<Answer, Full<Bytes>>;

    async fn answer(&self, mut request: Request<Incoming>, is_tls: bool) -> Reply {
        let work = self.0.spans.begin(&mut request);
        let reply = match (has_authority(&request), self.0.webhook) {
            _ if request.method() == Method::CONNECT => {
                plain(StatusCode::METHOD_NOT_ALLOWED, "this server is not a proxy\n")
            }
            (false, _) => plain(StatusCode::BAD_REQUEST, "the request names no host\n"),
            (true, None) => self.0.pass(request, is_tls, &work).await,
            (true, Some(webhook)) => self.0.review(webhook, request, is_tls, &work).await,
        };
        self.0.metrics.answered(reply.status());
        work.answered(reply.status());
        reply
    }
}

impl Shared {
    /// Passes a request on as it is.
    async fn pass(&self, request: Request<Incoming>, is_tls: bool, work: &Arc<Work>) -> Reply {
        let Some(slot) = self.slot(work) else { return crowded() };
        let request = request.map(|body| body.map_err(|_| HttpError::ConnectionTerminated));
        match self
            .handler
            .answer(Visit { request, is_tls, time: self.deadline, work: work.clone() }, slot)
            .await
        {
            Ok(answer) => answer.map(Either::Left),
            Err(fault) => failed(&fault),
        }
    }

    /// Passes a review on, and the answer back if it is a verdict. Reading it is a part of its time and of its slot.
    async fn review(
        &self,
        webhook: Webhook,
        request: Request<Incoming>,
        is_tls: bool,
        work: &Arc<Work>,
    ) -> Reply {
        let Some(slot) = self.slot(work) else { return crowded() };
        let (parts, body) = request.into_parts();
        let review = match timeout(self.deadline.min(SENDING), Review::read(&parts, body)).await {
            Ok(Ok(review)) => review,
            Ok(Err(NoReview(status, why))) => return plain(status, why),
            Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "the review did not come in time\n"),
        };
        let body =
            Full::new(review.content.clone()).map_err(|never: Infallible| -> HttpError { match never {} });
        let time = review.time(self.deadline).saturating_sub(slot.began.elapsed());
        let visit = Visit { request: Request::from_parts(parts, body), is_tls, time, work: work.clone() };
        let answer = match self.handler.answer(visit, slot).await {
            Ok(answer) => answer,
            Err(fault) => return failed(&fault),
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

    /// Returns a slot, if there is one.
    fn slot(&self, work: &Arc<Work>) -> Option<Slot> {
        let permit = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        self.metrics.began();
        let metrics = Arc::clone(&self.metrics);
        Some(Slot { began: Instant::now(), _work: Arc::clone(work), metrics, _permit: permit })
    }
}

/// Returns whether a request says which host it is for, without which WASI has no request.
fn has_authority<B>(request: &Request<B>) -> bool {
    request.uri().authority().is_some() || request.headers().get(HOST).is_some_and(is_host)
}

fn is_host(host: &HeaderValue) -> bool {
    host.to_str().is_ok_and(|host| host.parse::<Authority>().is_ok())
}

/// The client learns what it can do about it, and nothing of the plugin's inside.
fn failed(fault: &Fault) -> Reply {
    match fault {
        Fault::Late(_) => plain(StatusCode::GATEWAY_TIMEOUT, "the plugin took too long\n"),
        Fault::System(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "there is no room for the request\n"),
        Fault::Unfit(why) => {
            plain(StatusCode::BAD_GATEWAY, format!("the plugin's answer is not a verdict: {why}\n"))
        }
        Fault::Failed(_) | Fault::Limited(..) | Fault::Silent | Fault::Trapped(_) | Fault::Unfinished => {
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
