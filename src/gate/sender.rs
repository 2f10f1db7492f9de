//! Sends what was permitted, and nothing else: a pooled HTTP/1.1 client for one endpoint and one identity.
//!
//! HTTP/1.1, because upgrades (exec, attach, port-forward) need it, and because three unread streams would stall
//! all others of an HTTP/2 connection by its shared window.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::uri::{Authority, PathAndQuery, Scheme};
use ::http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::{Connect, HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use super::body::Timed;
use super::failure::Failure;
use super::{Body, GuestBody, Patience, headers};
use crate::cluster::{Cluster, Credential, Endpoint, Error, Validity};
use crate::policy::{Attempt, Permit};

/// The client of one endpoint, with the identity that it adds.
pub(super) struct Sender {
    client: Client<HttpsConnector<HttpConnector>, GuestBody>,
    endpoint: Endpoint,
    credential: Option<Arc<Credential>>,
}

/// How long a TCP connection may take to come about, as in client-go (net.Dialer in `rest/transport`).
const CONNECT: Duration = Duration::from_secs(30);

/// How long a connection may be silent before TCP itself asks whether the peer is there, as in client-go. This is
/// no idle timeout: a peer that is there and has nothing to say is waited for.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

impl Sender {
    /// Reads what `cluster` is known by there, and sets up TLS. Connects to nothing yet.
    ///
    /// To a plain HTTP server no credential is sent, as client-go does (clientcmd's
    /// `getUserIdentificationPartialConfig` is asked only for a TLS server).
    pub(super) async fn new(cluster: &Cluster) -> Result<Self, Error> {
        let credential = match cluster.endpoint().origin().is_secure() {
            true => Some(cluster.credentials().current().await?),
            false => None,
        };
        let https = match &credential {
            Some(credential) => {
                let tls = cluster.trust().client_config(credential.certificate().cloned())?;
                HttpsConnectorBuilder::new().with_tls_config(tls.as_ref().clone()).https_only()
            }
            None => HttpsConnectorBuilder::new().with_tls_config(no_tls()?).https_or_http(),
        };
        let client = pool(https.enable_http1().wrap_connector(tcp(GaiResolver::new())));
        Ok(Self { client, endpoint: cluster.endpoint().clone(), credential })
    }

    /// Whose the client certificate is, for messages.
    pub(super) fn certificate(&self) -> Option<&Validity> {
        self.credential.as_ref()?.validity()
    }

    /// Sends one request. A redirect is not followed: it goes to the guest as it is.
    pub(super) async fn send(
        &self,
        permit: Permit,
        mut headers: HeaderMap,
        body: GuestBody,
        patience: Patience,
    ) -> Result<Response<Body>, Failure> {
        let uri = self.address(permit.attempt()).ok_or(Failure::TooLong)?;
        if let Some(value) = self.credential.as_ref().and_then(|credential| credential.authorization()) {
            headers.insert(header::AUTHORIZATION, value.clone());
        }
        let mut request = Request::new(body);
        *request.method_mut() = permit.attempt().method().clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let response = exchange(&self.client, request, patience).await?;
        #[cfg(feature = "faults")]
        let response = match super::faults::followed(&response).await {
            Some(followed) => return Ok(followed),
            None => response,
        };
        Ok(answer(response, patience))
    }

    /// The address of an attempt at the real server: its own prefix first, which no attempt can climb out of.
    fn address(&self, attempt: &Attempt) -> Option<Uri> {
        let origin: Uri = self.endpoint.origin().to_string().parse().ok()?;
        let path: PathAndQuery =
            format!("{}{}", self.endpoint.prefix(), attempt.path_and_query()).parse().ok()?;
        let scheme: Scheme = origin.scheme()?.clone();
        let authority: Authority = origin.authority()?.clone();
        Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().ok()
    }
}

/// A connector that resolves by `resolver`.
pub(super) fn tcp<R>(resolver: R) -> HttpConnector<R> {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_keepalive(Some(KEEP_ALIVE));
    tcp.set_nodelay(true);
    tcp
}

/// A pool of HTTP/1.1 connections.
pub(super) fn pool<C: Connect + Clone>(connector: C) -> Client<C, GuestBody> {
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector)
}

/// Sends a request and waits for the head of its answer, as long as the guest is willing to.
pub(super) async fn exchange<C: Connect + Clone + Send + Sync + 'static>(
    client: &Client<C, GuestBody>,
    mut request: Request<GuestBody>,
    patience: Patience,
) -> Result<Response<Incoming>, Failure> {
    let asked = request.headers().contains_key(header::UPGRADE);
    let mut connection = capture_connection(&mut request);
    let connected = async { connection.wait_for_connection_metadata().await.is_some() };
    let mut response = pin!(client.request(request));
    if let Some(limit) = patience.connect {
        tokio::select! {
            biased;
            response = &mut response => return switched(asked, response.map_err(Failure::from)?),
            connected = timeout(limit, connected) => if connected.is_err() { return Err(Failure::ConnectTimeout) },
        }
    }
    switched(asked, within(patience.first_byte, response).await?.map_err(Failure::from)?)
}

/// A server that switches protocols without being asked has lost its mind, or is no server.
fn switched(asked: bool, response: Response<Incoming>) -> Result<Response<Incoming>, Failure> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS && !asked {
        return Err(Failure::Nonsense { too_large: false });
    }
    Ok(response)
}

/// An answer as its guest gets it.
pub(super) fn answer(response: Response<Incoming>, patience: Patience) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    parts.headers = headers::incoming(parts.headers);
    let body = match patience.between_bytes {
        Some(limit) => Timed::new(body, limit).boxed_unsync(),
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

/// A configuration that trusts nobody, for a connector that speaks plain HTTP.
fn no_tls() -> Result<rustls::ClientConfig, Error> {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error::Credential {
        what: "the TLS settings",
        owner: "kwasm".to_owned(),
        reason: error.to_string(),
    })?;
    Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}
