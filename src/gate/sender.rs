//! Sends what was permitted, and nothing else: a pooled HTTP/1.1 client for one endpoint and one identity.
//!
//! HTTP/1.1, because upgrades (exec, attach, port-forward) need it, and because three unread streams would stall
//! all others of an HTTP/2 connection by its shared window.

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

/// What sends to one cluster, with the identity that it adds. Nothing is read, and TLS is not set up, before the first
/// request that is let out.
#[derive(Default)]
pub(super) struct Sender {
    /// Whether the credentials are being waited for: then it is not the server that takes its time.
    asking: AtomicBool,
    pool: Mutex<Option<Pool>>,
}

/// Connections to one endpoint.
type Connections = Client<Metered<Dialer>, GuestBody>;

/// A pool of connections, all of one client certificate.
struct Pool {
    client: Connections,
    /// For a proxy that reads requests.
    proxy_authorization: Option<HeaderValue>,
    certificate: Option<Arc<CertifiedKey>>,
    validity: Option<Validity>,
}

/// Why the identity that was refused could not be had anew. Put beside the answer that refused it.
#[derive(Clone)]
pub(super) struct Unrenewed(pub(super) Message);

impl Sender {
    /// Whose the client certificate is, for messages.
    pub(super) fn certificate(&self) -> Option<Validity> {
        self.pool().as_ref()?.validity.clone()
    }

    /// Whether a request that was given up still waited for the credentials.
    pub(super) fn waits_for_credentials(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }

    /// Sends one request. A redirect is not followed: it goes to the guest as it is.
    ///
    /// An answer 401 has the credentials renewed, where they can be. With others the same request is sent once more, if
    /// its body is still there; else the answer is the guest's, and the next request has the new ones.
    pub(super) async fn send(
        &self,
        cluster: &Cluster,
        permit: Permit,
        headers: HeaderMap,
        body: GuestBody,
        timeouts: Timeouts,
    ) -> Result<Response<Body>, Failure> {
        // What is behind the API server may answer what it likes.
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
                    // A connection whose answer nobody reads is of no more use.
                    drop(response);
                    response = self.once(cluster, Some(&newer), &outgoing, body).await?;
                }
            }
            Ok(None) => {}
            Err(error) => drop(response.extensions_mut().insert(Unrenewed(error.message()))),
        }
        Ok(response)
    }

    /// Sends a request, known by `credential`.
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

    /// Connections of this certificate. Those of another one go on for as long as something is under way on them.
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

/// A request but for its body and who asks.
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

/// What a request to `cluster` is known by now.
///
/// To a plain HTTP server no credential is sent, as client-go does (clientcmd's `getUserIdentificationPartialConfig` is
/// asked only for a TLS server).
async fn credential(cluster: &Cluster) -> Result<Option<Arc<Credential>>, Error> {
    if cluster.endpoint().origin().is_secure() {
        return Ok(Some(cluster.credentials().current().await?));
    }
    Ok(None)
}

/// The address of an attempt at the real server: its own prefix first, which no attempt can climb out of.
fn address(endpoint: &Endpoint, attempt: &Attempt) -> Option<Uri> {
    let origin: Uri = endpoint.origin().to_string().parse().ok()?;
    let path: PathAndQuery = format!("{}{}", endpoint.prefix(), attempt.path_and_query()).parse().ok()?;
    let scheme: Scheme = origin.scheme()?.clone();
    let authority: Authority = origin.authority()?.clone();
    Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().ok()
}
