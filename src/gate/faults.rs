//! The behaviour of a gate without some of its defences. Compiled for tests only.

use ::http::request::Parts;
use ::http::{Request, Response, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::body::Body;
use super::exchange::{Timeouts, answer};
use crate::defence::{self, Defence};
use crate::policy::{Reason, Refusal};

/// Sends a request that names no granted endpoint to the address that a test configures.
pub(super) async fn astray(parts: &Parts, refusal: &Refusal) -> Option<Response<Body>> {
    let address = defence::reroute().filter(|_| *refusal.reason() == Reason::Destination)?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    get(format!("http://{address}{path}").parse().ok()?).await
}

/// Follows a redirect.
pub(super) async fn followed(response: &Response<Incoming>) -> Option<Response<Body>> {
    if Defence::Redirects.stands() || !response.status().is_redirection() {
        return None;
    }
    get(response.headers().get(header::LOCATION)?.to_str().ok()?.parse().ok()?).await
}

async fn get(uri: Uri) -> Option<Response<Body>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    let mut request = Request::new(body);
    *request.uri_mut() = uri;
    Some(answer(client.request(request).await.ok()?, Timeouts::default()))
}
