//! Hosts beside the cluster: HTTPS by the platform's authorities, never a credential, and no address of the user's own
//! network unless it was granted as such.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use ::http::{HeaderMap, Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use rustls_platform_verifier::BuilderVerifierExt;
use tower_service::Service;

use super::dial::TlsError;
use super::failure::Failure;
use super::reuse::Metered;
use super::sender::{answer, exchange, pool, tcp};
use super::{Body, GuestBody, Timeouts};
use crate::defence::{Defence, stands};
use crate::policy::{Host, Permit, Target, is_public};

/// The client of all hosts that a policy grants.
pub(super) struct Hosts {
    client: Client<Metered<HttpsConnector<HttpConnector<Resolver>>>, GuestBody>,
}

impl Hosts {
    /// Reads the platform's authorities. Connects to nothing yet.
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

    /// Sends one request. A redirect is not followed: it goes to the guest as it is.
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

/// Resolves names, and gives none of the addresses that a host may not be at: a name of the Internet whose owner
/// points it at the user's own network leads nowhere.
#[derive(Clone)]
pub(super) struct Resolver {
    hosts: std::sync::Arc<[Host]>,
}

/// All addresses of a host are of the user's own network; the first of them.
#[derive(Debug, thiserror::Error)]
#[error("the host is at the private address {0}")]
pub(super) struct Private(pub(super) std::net::IpAddr);

type Resolving = Pin<Box<dyn Future<Output = io::Result<vec::IntoIter<SocketAddr>>> + Send>>;

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Resolving;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolving {
        let mut granted = self.hosts.iter().filter(|host| host.name == name.as_str()).peekable();
        // The port is not known here: where one of its entries may not be private, none may.
        let private = granted.peek().is_some() && granted.all(|host| host.private);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            allowed(found, private)
        })
    }
}

/// The addresses that may be connected to.
fn allowed(found: Vec<SocketAddr>, private: bool) -> io::Result<vec::IntoIter<SocketAddr>> {
    let first = found.first().map(SocketAddr::ip);
    let public =
        |address: &SocketAddr| private || is_public(address.ip()) || !stands(Defence::PrivateAddresses);
    let allowed: Vec<SocketAddr> = found.into_iter().filter(public).collect();
    match first {
        Some(address) if allowed.is_empty() => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, Private(address)))
        }
        _ => Ok(allowed.into_iter()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn of_mixed_addresses_only_the_public_ones_are_connected_to() {
        let mixed = addresses(&["127.0.0.1:0", "1.1.1.1:0", "[fe80::1]:0"]);
        assert_eq!(allowed(mixed, false).unwrap().collect::<Vec<_>>(), addresses(&["1.1.1.1:0"]));
    }

    #[test]
    fn a_host_with_none_but_private_addresses_is_refused_unless_granted_as_such() {
        let rebound = addresses(&["169.254.169.254:0"]);
        let error = allowed(rebound.clone(), false).unwrap_err();
        assert!(error.get_ref().unwrap().is::<Private>());
        assert_eq!(allowed(rebound, true).unwrap().count(), 1);
    }
}
