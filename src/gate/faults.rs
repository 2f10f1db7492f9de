//! What a gate would do without some of its defences. Compiled for tests alone.

use ::http::request::Parts;
use ::http::{Request, Response, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::body::GuestLifetime;
use super::failure::Failure;
use super::{Body, Gate, GateError, Timeouts, sender};
use crate::defence::{self, Defence, stands};
use crate::policy::{Reason, Refusal};

/// Sends a request that names no granted endpoint to where a test says that it leads.
pub(super) async fn astray(parts: &Parts, refusal: &Refusal) -> Option<Response<Body>> {
    let address = defence::reroute().filter(|_| *refusal.reason() == Reason::Destination)?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    get(format!("http://{address}{path}").parse().ok()?).await
}

/// Follows a redirect.
pub(super) async fn followed(response: &Response<Incoming>) -> Option<Response<Body>> {
    if stands(Defence::Redirects) || !response.status().is_redirection() {
        return None;
    }
    get(response.headers().get(header::LOCATION)?.to_str().ok()?.parse().ok()?).await
}

/// A gate whose requests go on when nobody waits for them any more.
pub(super) struct Detached(pub(super) Gate);

impl Detached {
    pub(super) async fn pass(
        &self,
        request: Request<Body>,
        timeouts: Timeouts,
        lifetime: &GuestLifetime,
    ) -> Result<Response<Body>, GateError> {
        let (gate, lifetime) = (self.0.clone(), lifetime.clone());
        let sent = async move { gate.pass(request, timeouts, &lifetime).await };
        if stands(Defence::AbortedBodies) {
            return sent.await;
        }
        tokio::spawn(sent).await.unwrap_or(Err(GateError::Failed(Failure::Closed)))
    }
}

async fn get(uri: Uri) -> Option<Response<Body>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    let mut request = Request::new(body);
    *request.uri_mut() = uri;
    Some(sender::answer(client.request(request).await.ok()?, Timeouts::default()))
}
