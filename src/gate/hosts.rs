//! Hosts outside the cluster: HTTPS by the platform's authorities, never a credential, and no address in the
//! user's own network unless that was granted.

use ::http::{HeaderMap, Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls_platform_verifier::BuilderVerifierExt;

use super::dial::TlsError;
use super::exchange::{answer, exchange, pool};
use super::failure::Failure;
use super::resolve::Resolver;
use super::reuse::Metered;
use super::tcp::tcp;
use super::{Body, GuestBody, Timeouts};
use crate::policy::{Host, Permit, Target};

/// The client for all hosts that a policy grants.
pub(super) struct Hosts {
    client: Client<Metered<HttpsConnector<HttpConnector<Resolver>>>, GuestBody>,
}

impl Hosts {
    /// Reads the platform's authorities. Does not connect yet.
    pub(super) fn new(hosts: &[Host]) -> Result<Self, Failure> {
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(rustls::ConfigBuilder::with_platform_verifier)
            .map_err(|error| Failure::Tls(TlsError::Tls(error)))?
            .with_no_client_auth();
        let tcp = tcp(Resolver { hosts: hosts.into() });
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1();
        Ok(Self { client: pool(https.wrap_connector(tcp)) })
    }

    /// Sends one request. A redirect is not followed, but passed to the guest unchanged.
    pub(super) async fn send(
        &self,
        permit: Permit,
        headers: HeaderMap,
        body: GuestBody,
        timeouts: Timeouts,
    ) -> Result<Response<Body>, Failure> {
        let attempt = permit.attempt();
        let Target::Host(host) = attempt.target() else { return Err(Failure::TooLong) };
        let path = attempt.path_and_query().parse().map_err(|_| Failure::TooLong)?;
        let mut parts = Uri::default().into_parts();
        parts.scheme = Some(::http::uri::Scheme::HTTPS);
        parts.authority = host.to_string().parse().ok();
        parts.path_and_query = Some(path);
        let mut request = Request::new(body);
        *request.method_mut() = attempt.method().clone();
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Failure::TooLong)?;
        *request.headers_mut() = headers;
        Ok(answer(exchange(&self.client, request, timeouts).await?, timeouts))
    }
}
