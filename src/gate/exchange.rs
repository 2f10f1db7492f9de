//! One request and its answer, on a pool of connections: to a cluster or to another host.

use std::future::{Future, pending};
use std::pin::pin;
use std::time::Duration;

use ::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{Connect, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{sleep, timeout};

use super::body::{Body, Timed};
use super::failure::Failure;
use super::guest_body::GuestBody;
use super::headers;
use super::reuse::{self, Meter, Metered};

/// The timeouts of a guest. `None` means no limit: a watch may be silent for hours.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timeouts {
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) between_bytes: Option<Duration>,
}

impl Timeouts {
    /// Waits until the guest no longer waits for a connection or the beginning of an answer.
    pub(super) async fn over(self) {
        match self.connect.into_iter().chain(self.first_byte).min() {
            Some(limit) => sleep(limit).await,
            None => pending().await,
        }
    }

    /// Returns the failure of a request that has not been sent after this time, if it is too late for it.
    pub(super) fn late(self, waited: Duration) -> Option<Failure> {
        let is_over = |limit: Option<Duration>| limit.is_some_and(|limit| limit <= waited);
        if is_over(self.connect) {
            return Some(Failure::ConnectTimeout);
        }
        is_over(self.first_byte).then_some(Failure::ResponseTimeout)
    }

    /// Returns what is left of the timeouts for a connection and the beginning of an answer after this time.
    pub(super) fn after(self, waited: Duration) -> Self {
        let left = |limit: Option<Duration>| limit.map(|limit| limit.saturating_sub(waited));
        Self { connect: left(self.connect), first_byte: left(self.first_byte), ..self }
    }
}

/// Returns a pool of HTTP/1.1 connections.
pub(super) fn pool<C>(connector: C) -> Client<Metered<C>, GuestBody>
where
    Metered<C>: Connect + Clone,
{
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(Metered(connector))
}

/// Sends a request and waits for the head of its answer, within the guest's timeout. Sends it again if its
/// kept-alive connection died: on another kept-alive one, until a new connection has to be made.
pub(super) async fn exchange<C: Connect + Clone + Send + Sync + 'static>(
    client: &Client<C, GuestBody>,
    request: Request<GuestBody>,
    timeouts: Timeouts,
) -> Result<Response<Incoming>, Failure> {
    let asked = request.headers().contains_key(header::UPGRADE);
    if !reuse::is_replayable(request.method(), request.headers()) {
        return switched(asked, attempt(client, request, timeouts).await?.map_err(Failure::from)?);
    }
    let (parts, mut body) = request.into_parts();
    loop {
        let (sent, again) = body.recorded(&parts.method);
        let request = Request::from_parts(parts.clone(), sent);
        let error = match attempt(client, request, timeouts).await? {
            Ok(response) => return switched(asked, response),
            Err(error) => error,
        };
        match again.replayed().filter(|_| reuse::died_as_reused(&error)) {
            Some(replayed) => body = replayed,
            None => return Err(error.into()),
        }
    }
}

/// Sends a request once.
async fn attempt<C: Connect + Clone + Send + Sync + 'static>(
    client: &Client<C, GuestBody>,
    mut request: Request<GuestBody>,
    timeouts: Timeouts,
) -> Result<Result<Response<Incoming>, legacy::Error>, Failure> {
    let mut connection = capture_connection(&mut request);
    let connected = async { connection.wait_for_connection_metadata().await.is_some() };
    let mut response = pin!(async {
        let response = client.request(request).await?;
        if let Some(meter) = response.extensions().get::<Meter>() {
            meter.answered();
        }
        Ok(response)
    });
    if let Some(limit) = timeouts.connect {
        tokio::select! {
            biased;
            response = &mut response => return Ok(response),
            connected = timeout(limit, connected) => if connected.is_err() { return Err(Failure::ConnectTimeout) },
        }
    }
    within(timeouts.first_byte, response).await
}

/// Refuses an upgrade that was not requested: the server is broken, or not an API server.
fn switched(asked: bool, response: Response<Incoming>) -> Result<Response<Incoming>, Failure> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS && !asked {
        return Err(Failure::Nonsense { too_large: false });
    }
    Ok(response)
}

/// Returns an answer in the form for its guest.
pub(super) fn answer(response: Response<Incoming>, timeouts: Timeouts) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    parts.headers = headers::incoming(parts.headers);
    let body = match timeouts.between_bytes {
        Some(limit) => Timed::body(body, limit).boxed_unsync(),
        None => body.map_err(Into::into).boxed_unsync(),
    };
    Response::from_parts(parts, body)
}

async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Result<T, Failure> {
    match limit {
        Some(limit) => timeout(limit, work).await.map_err(|_| Failure::ResponseTimeout),
        None => Ok(work.await),
    }
}
