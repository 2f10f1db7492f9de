//! Sends permitted requests and nothing else: a pooled HTTP/1.1 client for one endpoint and one identity.
//!
//! It uses HTTP/1.1 because upgrades (exec, attach, port-forward) need it, and because three unread streams
//! would stall all others on an HTTP/2 connection through its shared window.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::uri::{Authority, PathAndQuery, Scheme};
use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use hyper_util::client::legacy::Client;
use rustls::sign::CertifiedKey;

use super::dial::Dialer;
use super::exchange::{answer, exchange, pool};
use super::failure::Failure;
use super::reuse::Metered;
use super::{Body, GuestBody, Timeouts};
use crate::cluster::{Cluster, Credential, Endpoint, Error, Validity};
use crate::message::{Explain, Message};
use crate::policy::{Attempt, Permit};

/// The sender to one cluster, with the identity that it adds. Nothing is read and TLS is not set up before
/// the first permitted request.
#[derive(Default)]
pub(super) struct Sender {
    /// Whether it waits for the credentials, so that a delay is not the server's.
    asking: AtomicBool,
    pool: Mutex<Option<Pool>>,
}

/// Connections to one endpoint.
type Connections = Client<Metered<Dialer>, GuestBody>;

/// A pool of connections with the same client certificate.
struct Pool {
    client: Connections,
    /// The header for a forwarding proxy.
    proxy_authorization: Option<HeaderValue>,
    certificate: Option<Arc<CertifiedKey>>,
    validity: Option<Validity>,
}

/// The reason why refused credentials could not be renewed. Attached to the answer that refused them.
#[derive(Clone)]
pub(super) struct Unrenewed(pub(super) Message);

impl Sender {
    /// Returns the validity of the client certificate, for messages.
    pub(super) fn certificate(&self) -> Option<Validity> {
        self.pool().as_ref()?.validity.clone()
    }

    /// Returns whether an abandoned request was still waiting for the credentials.
    pub(super) fn waits_for_credentials(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }

    /// Sends one request. A redirect is not followed, but passed to the guest unchanged.
    ///
    /// After an answer 401, the credentials are renewed if possible. With new ones, the same request is sent
    /// again if its body is still available; otherwise the guest gets the answer, and the next request uses
    /// the new credentials.
    pub(super) async fn send(
        &self,
        cluster: &Cluster,
        permit: Permit,
        headers: HeaderMap,
        body: GuestBody,
        timeouts: Timeouts,
    ) -> Result<Response<Body>, Failure> {
        // A server behind the API server may answer anything.
        let relayed = permit.attempt().info().is_relayed();
        let outgoing = Outgoing {
            method: permit.attempt().method().clone(),
            uri: address(cluster.endpoint(), permit.attempt()).ok_or(Failure::TooLong)?,
            headers,
            timeouts,
        };
        self.asking.store(true, Ordering::Relaxed);
        let used = credential(cluster).await.map_err(|error| Failure::identity(&error))?;
        self.asking.store(false, Ordering::Relaxed);
        let used = match used {
            Some(used) if cluster.credentials().is_renewable() && !relayed => used,
            used => return self.once(cluster, used.as_deref(), &outgoing, body).await,
        };
        let (body, again) = body.recorded(&outgoing.method);
        let mut response = self.once(cluster, Some(&used), &outgoing, body).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match cluster.credentials().renewed(&used).await {
            Ok(Some(newer)) => {
                if let Some(body) = again.replayed() {
                    // A connection with an unread answer cannot be used again.
                    drop(response);
                    response = self.once(cluster, Some(&newer), &outgoing, body).await?;
                }
            }
            Ok(None) => {}
            Err(error) => drop(response.extensions_mut().insert(Unrenewed(error.message()))),
        }
        Ok(response)
    }

    /// Sends a request once, with `credential`.
    async fn once(
        &self,
        cluster: &Cluster,
        credential: Option<&Credential>,
        outgoing: &Outgoing,
        body: GuestBody,
    ) -> Result<Response<Body>, Failure> {
        let (client, proxy_authorization) =
            self.client(cluster, credential).map_err(|error| Failure::identity(&error))?;
        let mut request = Request::new(body);
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = outgoing.uri.clone();
        *request.headers_mut() = outgoing.headers.clone();
        if let Some(value) = proxy_authorization {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, value);
        }
        if let Some(value) = credential.and_then(Credential::authorization) {
            request.headers_mut().insert(header::AUTHORIZATION, value.clone());
        }
        let response = exchange(&client, request, outgoing.timeouts).await?;
        #[cfg(feature = "faults")]
        let response = match super::faults::followed(&response).await {
            Some(followed) => return Ok(followed),
            None => response,
        };
        Ok(answer(response, outgoing.timeouts))
    }

    /// Returns the connections with this certificate. Those with another one stay open as long as a request
    /// is in flight on them.
    fn client(
        &self,
        cluster: &Cluster,
        credential: Option<&Credential>,
    ) -> Result<(Connections, Option<HeaderValue>), Error> {
        let certificate = credential.and_then(Credential::certificate);
        let mut pool = self.pool();
        match pool.as_ref() {
            Some(pool) if pool.certificate.as_ref().map(Arc::as_ptr) == certificate.map(Arc::as_ptr) => {
                Ok((pool.client.clone(), pool.proxy_authorization.clone()))
            }
            _ => {
                let pool = pool.insert(Pool::of(cluster, credential)?);
                Ok((pool.client.clone(), pool.proxy_authorization.clone()))
            }
        }
    }

    fn pool(&self) -> MutexGuard<'_, Option<Pool>> {
        // It is replaced as a whole.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request without its body and credentials.
struct Outgoing {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    timeouts: Timeouts,
}

impl Pool {
    fn of(cluster: &Cluster, credential: Option<&Credential>) -> Result<Self, Error> {
        let certificate = credential.and_then(Credential::certificate);
        let dialer = Dialer::new(cluster, certificate.cloned())?;
        let proxy_authorization = dialer.authorization();
        Ok(Self {
            client: pool(dialer),
            proxy_authorization,
            certificate: certificate.cloned(),
            validity: credential.and_then(Credential::validity).cloned(),
        })
    }
}

/// Returns the credential for a request to `cluster` now.
///
/// A plain HTTP server gets no credential, as in client-go (clientcmd calls
/// `getUserIdentificationPartialConfig` only for a TLS server).
async fn credential(cluster: &Cluster) -> Result<Option<Arc<Credential>>, Error> {
    if cluster.endpoint().origin().is_secure() {
        return Ok(Some(cluster.credentials().current().await?));
    }
    Ok(None)
}

/// Returns the address of a request at the real server: the endpoint's prefix first, which no request can
/// escape.
fn address(endpoint: &Endpoint, attempt: &Attempt) -> Option<Uri> {
    let origin: Uri = endpoint.origin().to_string().parse().ok()?;
    let path: PathAndQuery = format!("{}{}", endpoint.prefix(), attempt.path_and_query()).parse().ok()?;
    let scheme: Scheme = origin.scheme()?.clone();
    let authority: Authority = origin.authority()?.clone();
    Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().ok()
}
