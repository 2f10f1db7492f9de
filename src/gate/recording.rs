//! Records what passes.

use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::{HeaderMap, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt;

use super::body::{Body, Hook, Hooked, Polled, TooSlow};
use super::deadline::Late;
use super::failure::Failure;
use super::reports::Reports;
use super::stream::Server;
use super::{GuestBody, Inner, Timeouts};
use crate::policy::Permit;
use crate::record::{Cut, Exchange, Recorder};

/// Records a body that a guest sends.
struct Sending(Arc<Exchange>);

/// Records a body that a guest receives.
struct Receiving(Arc<Exchange>);

impl Inner {
    /// Sends a permitted request over the network, and records it and its answer.
    pub(super) async fn record(
        &self,
        recorder: &Arc<Recorder>,
        permit: Permit,
        mut headers: HeaderMap,
        body: GuestBody,
        timeouts: Timeouts,
    ) -> Result<Response<Body>, Failure> {
        let Some(exchange) = recorder.request(permit.attempt(), &headers) else {
            return self.transmit(permit, headers, body, timeouts, Reports::to(&self.journal)).await;
        };
        let reports = Reports::recorded(&self.journal, &exchange);
        // In a compressed body no secret could be found, and nothing be read or edited.
        headers.remove(header::ACCEPT_ENCODING);
        let body = body.hooked(Sending(Arc::clone(&exchange)));
        match self.transmit(permit, headers, body, timeouts, reports).await {
            Ok(mut response) => {
                exchange.answered(response.status(), response.headers());
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    Server::record(response.extensions_mut(), exchange);
                    return Ok(response);
                }
                if response.body().is_end_stream() {
                    exchange.ended(None);
                }
                Ok(response.map(|inner| Hooked { hook: Receiving(exchange), inner }.boxed_unsync()))
            }
            Err(failure) => {
                exchange.failed(&failure.name());
                Err(failure)
            }
        }
    }
}

impl Hook for Sending {
    fn polled(&mut self, polled: Polled, _: &impl http_body::Body, _: &mut Context<'_>) -> Polled {
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.0.sent(data);
        }
        polled
    }
}

impl Hook for Receiving {
    fn polled(&mut self, polled: Polled, inner: &impl http_body::Body, _: &mut Context<'_>) -> Polled {
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    self.0.received(data);
                }
                // hyper asks no further then.
                if inner.is_end_stream() {
                    self.0.ended(None);
                }
            }
            Poll::Ready(Some(Err(error))) => {
                let late = error.is::<TooSlow>() || error.is::<Late>();
                self.0.ended(Some(if late { Cut::Timeout } else { Cut::Closed }));
            }
            Poll::Ready(None) => self.0.ended(None),
            Poll::Pending => {}
        }
        polled
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.dropped();
    }
}
