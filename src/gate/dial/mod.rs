//! Connects to an API server: straight or through a proxy, and by TLS. The reference is Go's `http.Transport`
//! as client-go sets it up.
//!
//! A proxy only carries bytes: it sees neither the client certificate nor, if the server speaks TLS, any part
//! of a request.

mod cause;
mod connect;
mod fault;
mod socks;
mod wire;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use rustls::ClientConfig;
use rustls::sign::CertifiedKey;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use self::cause::BoxError;
pub(super) use self::cause::find;
pub(super) use self::fault::ProxyFault;
pub(crate) use self::fault::TlsError;
use self::fault::{HANDSHAKE, ProxyError};
use self::wire::{Duplex, Opening, Wire};
use super::tcp::tcp;
use crate::cluster::{Cluster, Endpoint, Error, Trust};
use crate::proxy::{Proxy, Scheme};

/// A connector to one API server, for a client with this certificate. Clones share the same state.
#[derive(Clone)]
pub(super) struct Dialer(Arc<Inner>);

struct Inner {
    tcp: HttpConnector<GaiResolver>,
    endpoint: Endpoint,
    trust: Trust,
    certificate: Option<Arc<CertifiedKey>>,
    proxy: Option<Proxy>,
}

/// The timeout for a proxy to connect, as in Go.
const PROXY: Duration = Duration::from_mins(1);

impl Dialer {
    /// Returns a connector to `cluster`. Reads its authorities, but does not connect yet.
    pub(super) fn new(cluster: &Cluster, certificate: Option<Arc<CertifiedKey>>) -> Result<Self, Error> {
        let (endpoint, trust) = (cluster.endpoint().clone(), cluster.trust().clone());
        if endpoint.origin().is_secure() {
            // Reports errors of the authorities now. A connection reads them again, since they may have been
            // renewed by then.
            trust.client_config(certificate.clone())?;
        }
        let proxy = cluster.proxy().cloned();
        Ok(Self(Arc::new(Inner { tcp: tcp(GaiResolver::new()), endpoint, trust, certificate, proxy })))
    }

    /// Returns the header that each request needs at a forwarding proxy. To a tunnelling one, the dialer
    /// sends it.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        self.0.reader()?.authorization()
    }
}

impl Service<Uri> for Dialer {
    type Response = Wire;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Wire, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    /// Connects to the endpoint, which is the only address that its sender requests.
    fn call(&mut self, _: Uri) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.connect().await })
    }
}

impl Inner {
    /// Returns the forwarding proxy, which reads requests: an HTTP proxy, if the server speaks plain HTTP.
    fn reader(&self) -> Option<&Proxy> {
        let secure = self.endpoint.origin().is_secure();
        self.proxy.as_ref().filter(|proxy| !secure && proxy.scheme() != Scheme::Socks5)
    }

    async fn connect(&self) -> Result<Wire, BoxError> {
        let origin = self.endpoint.origin();
        let stream = match &self.proxy {
            None => Box::new(self.reach(origin.host(), origin.port()).await?) as Box<dyn Duplex>,
            Some(proxy) => {
                self.through(proxy).await.map_err(|error| ProxyFault::new(proxy, &self.endpoint, error))?
            }
        };
        if !origin.is_secure() {
            return Ok(Wire::new(stream, self.reader().is_some()));
        }
        let config = self.trust.client_config(self.certificate.clone())?;
        let name = match self.trust.sni() {
            Some(name) => name.clone(),
            None => server_name(origin.host())?,
        };
        Ok(Wire::new(handshake(config, name, stream).await?, false))
    }

    /// Connects through a proxy to the server or, if that speaks plain HTTP, to the proxy itself.
    async fn through(&self, proxy: &Proxy) -> Result<Box<dyn Duplex>, ProxyError> {
        let stream = self.reach(proxy.host(), proxy.port()).await.map_err(ProxyError::unreached)?;
        let mut stream = match proxy.scheme() {
            Scheme::Http | Scheme::Socks5 => Box::new(stream) as Box<dyn Duplex>,
            Scheme::Https => {
                let config = self.trust.proxy_config().map_err(ProxyError::Untrusting)?;
                let name = server_name(proxy.host())
                    .map_err(|error| ProxyError::Tls(TlsError::Other(error.to_string())))?;
                handshake(config, name, Box::new(stream)).await.map_err(ProxyError::Tls)?
            }
        };
        let origin = self.endpoint.origin();
        let opened = async {
            match proxy.scheme() {
                Scheme::Socks5 => {
                    socks::open_tunnel(&mut stream, origin.host(), origin.port(), proxy.user()).await
                }
                _ if !origin.is_secure() => Ok(()),
                _ => {
                    let address = format!("{}:{}", origin.host(), origin.port());
                    connect::open_tunnel(&mut stream, &address, proxy.authorization().as_ref()).await
                }
            }
        };
        timeout(PROXY, opened).await.unwrap_or(Err(ProxyError::Silent))?;
        Ok(stream)
    }

    async fn reach(&self, host: &str, port: u16) -> Result<TcpStream, BoxError> {
        let address: Uri = format!("http://{host}:{port}").parse()?;
        Ok(self.tcp.clone().call(address).await?.into_inner())
    }
}

/// Starts TLS on a stream.
async fn handshake(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: Box<dyn Duplex>,
) -> Result<Box<dyn Duplex>, TlsError> {
    let handshake = TlsConnector::from(config).connect(name, Opening::new(stream)).into_fallible();
    match timeout(HANDSHAKE, handshake).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err((_, stream))) if stream.is_plain_http() => Err(TlsError::PlainHttp),
        Ok(Err((error, _))) => Err(TlsError::of(&error)),
        Err(_) => Err(TlsError::Silent),
    }
}

/// Returns the name that a certificate must have for a host.
fn server_name(host: &str) -> Result<ServerName<'static>, io::Error> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(host.to_owned()).map_err(io::Error::other)
}
