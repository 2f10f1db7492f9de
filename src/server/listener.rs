//! A port, its connections, and how many there are at a time.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::ending::{Ending, Farewell};
use super::error::Error;
use super::patient::Patient;

/// The time for the head of a request; a connection without a request is closed after it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The time until a client begins to speak, and that for a TLS handshake.
const BEGIN: Duration = Duration::from_secs(10);

/// The bytes of a request's head.
const HEAD: usize = 64 << 10;

/// The requests at a time on one connection of HTTP/2.
const STREAMS: u32 = 128;

/// The time after which accepting is tried again, when the system has no room for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers requests.
pub(super) trait Service: Clone + Send + Sync + 'static {
    /// What its answers are made of.
    type Answer: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static;

    /// Answers a request, which came through TLS or not.
    fn answer(
        &self,
        request: Request<Incoming>,
        is_tls: bool,
    ) -> impl Future<Output = Response<Self::Answer>> + Send;
}

/// A port that is listened at.
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    connections: Arc<Semaphore>,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Listens, for as many connections at a time: further ones wait.
    pub(super) async fn bind(
        address: SocketAddr,
        connections: u32,
        certificate: Option<Arc<Certificate>>,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Address { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let tls = certificate.map(Certificate::acceptor).transpose()?;
        Ok(Self { socket, address, connections: Arc::new(Semaphore::new(connections as usize)), tls })
    }

    /// Listens at a socket without TLS. Must be called inside a runtime, with one that does not block.
    pub(super) fn adopt(socket: std::net::TcpListener, connections: u32) -> io::Result<Self> {
        let socket = TcpListener::from_std(socket)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, connections: Arc::new(Semaphore::new(connections as usize)), tls: None })
    }

    /// Returns the address, with the port that the system chose if it was asked to.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the scheme of its URLs.
    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Accepts connections, forever.
    pub(super) async fn accept<S: Service>(&self, service: &S, ending: &Ending) {
        let http = protocol();
        loop {
            // It is never closed.
            let Ok(slot) = Arc::clone(&self.connections).acquire_owned().await else { return };
            let Ok((stream, _)) = self.socket.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // An answer in small pieces would else wait for the client's acknowledgements.
            drop(stream.set_nodelay(true));
            let (http, service, ending, tls) =
                (http.clone(), service.clone(), ending.connection(), self.tls.clone());
            tokio::spawn(async move {
                // What a client does wrong is its own matter.
                match tls {
                    None => converse(&http, service, ending.agreed(false), stream, false).await,
                    Some(tls) => {
                        if let Some(stream) = handshake(&tls, stream).await {
                            let is_multiplexed = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                            converse(&http, service, ending.agreed(is_multiplexed), stream, true).await;
                        }
                    }
                }
                drop(slot);
            });
        }
    }
}

/// HTTP/1.1 and HTTP/2, with bounds of time and size.
fn protocol() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(HEAD);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PATIENCE)
        .max_header_list_size(u32::try_from(HEAD).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS);
    http
}

async fn handshake(
    tls: &TlsAcceptor,
    stream: TcpStream,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    tokio::time::timeout(BEGIN, tls.accept(stream)).await.ok()?.ok()
}

async fn converse<S: Service>(
    http: &auto::Builder<TokioExecutor>,
    service: S,
    (watcher, farewell): (Watcher, Farewell),
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    is_tls: bool,
) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let (service, farewell) = (service.clone(), farewell.clone());
        async move {
            let version = request.version();
            let mut answer = service.answer(request, is_tls).await;
            farewell.say(version, &mut answer);
            Ok::<_, Infallible>(answer)
        }
    });
    let stream = TokioIo::new(Patient::new(stream, BEGIN, PATIENCE));
    let connection = http.serve_connection(stream, answer).into_owned();
    drop(watcher.watch(connection).await);
}
