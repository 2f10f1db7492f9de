//! The sockets and the thread of a registry.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::received::Side;
use super::wire::{Watched, Wire};
use super::{Shared, service};
use crate::certificates::{Certificates, Validity};
use crate::error::Error;

/// Sockets that wait for someone to serve them.
pub(crate) struct Listening {
    registry: TcpListener,
    elsewhere: TcpListener,
    ports: [u16; 2],
    tls: Option<Tls>,
}

struct Tls {
    authority: String,
    config: Arc<ServerConfig>,
}

/// A served registry. Dropping it ends the thread.
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    pub(crate) fn new(plain: bool, validity: Validity) -> Result<Self, Error> {
        let (registry, port) = listen().map_err(Error::at("127.0.0.1"))?;
        let (elsewhere, other) = listen().map_err(Error::at("127.0.0.1"))?;
        let tls = if plain { None } else { Some(Tls::new(validity)?) };
        Ok(Self { registry, elsewhere, ports: [port, other], tls })
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.ports[0])
    }

    pub(crate) fn authority(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.authority.as_str())
    }

    /// Returns the bases of both hosts. The other host has another name, so that credentials for one must not
    /// reach the other.
    pub(crate) fn bases(&self) -> [String; 2] {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        [format!("{scheme}://{}", self.host()), format!("{scheme}://127.0.0.1:{}", self.ports[1])]
    }

    pub(crate) fn serve(self, shared: &Arc<Shared>) -> Result<Server, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Error::at("runtime"))?;
        let (registry, elsewhere) = {
            let _entered = runtime.enter();
            let made = |socket| tokio::net::TcpListener::from_std(socket).map_err(Error::at("127.0.0.1"));
            (made(self.registry)?, made(self.elsewhere)?)
        };
        let tls = self.tls.map(|tls| TlsAcceptor::from(tls.config));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(shared);
        // A thread of its own owns the runtime: one must not be dropped inside another.
        let thread = thread::Builder::new().name("kwasm-registry".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(&shared, Side::Registry, registry, tls.as_ref()) => {}
                    () = accept(&shared, Side::Elsewhere, elsewhere, tls.as_ref()) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Server { stop: Some(stop), thread: Some(thread.map_err(Error::at("thread"))?) })
    }
}

impl Tls {
    fn new(validity: Validity) -> Result<Self, Error> {
        let Certificates { authority, certificate, key } = Certificates::new(validity)?;
        let config = config(&certificate, &key).map_err(Error::at("TLS"))?;
        Ok(Self { authority, config: Arc::new(config) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // If no one receives it, the thread has ended already.
            stop.send(()).unwrap_or_default();
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn listen() -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

fn config(certificate: &str, key: &str) -> io::Result<ServerConfig> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(io::Error::other)?;
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain.map_err(io::Error::other)?, key)
            .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

async fn accept(
    shared: &Arc<Shared>,
    side: Side,
    listener: tokio::net::TcpListener,
    tls: Option<&TlsAcceptor>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (shared, tls) = (Arc::clone(shared), tls.cloned());
                tokio::spawn(async move {
                    // Clients may close the connection, and faults cut it: the requests are in the log.
                    drop(connection(shared, side, stream, tls).await);
                });
            }
            // Such as too many open files: it passes.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn connection(
    shared: Arc<Shared>,
    side: Side,
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let wire = Wire::default();
    let stream = match tls {
        None => Watched::new(stream, wire.clone()),
        Some(tls) => Watched::new(tls.accept(stream).await?, wire.clone()),
    };
    let service = service_fn(|request| service::serve(Arc::clone(&shared), side, wire.clone(), request));
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?;
    Ok(())
}
