//! The server: its options, its start and end.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;

use crate::credentials::Credentials;
use crate::faults::Faults;
use crate::identity;
use crate::kubeconfig::{self, Kubeconfig, User};
use crate::log::Log;
use crate::object;
use crate::service::{self, Connection, Hello};
use crate::status::Refused;
use crate::store::Store;
use crate::tls::{Authority, Tls, Validity};
use crate::wire::{Stream, Tap, Wire};

/// A running API server on a port of 127.0.0.1. It ends when it is dropped, and removes its files.
///
/// It has threads of its own, so that it can be used from tests with and without an asynchronous runtime.
pub struct ApiServer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) url: String,
    pub(crate) authority: Option<String>,
    pub(crate) folder: TempDir,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The state that requests share.
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) log: Arc<Log>,
    pub(crate) faults: Faults,
    pub(crate) credentials: Credentials,
    pub(crate) base: String,
    pub(crate) takes_anybody: bool,
    /// Each change ends the watches of the time.
    pub(crate) ends: watch::Sender<u64>,
    pub(crate) connections: AtomicU64,
    pub(crate) open: AtomicU64,
}

/// The server's certificate, always signed by the CA that its kubeconfigs name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServerCertificate {
    /// Good for `127.0.0.1`, `localhost` and `kubernetes.default.svc`.
    #[default]
    Good,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// Good for `wrong-name.example` only.
    WrongName,
}

/// The stage at which an invalid client certificate is refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientCheck {
    /// In the TLS handshake, by an alert: as front proxies such as nginx do.
    #[default]
    Handshake,
    /// By 401: as the real API server does.
    Http,
}

/// The reason why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket, thread or file.
    #[error("the test API server cannot start")]
    Io(#[from] io::Error),
    /// A certificate.
    #[error("a certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
    /// An object it begins with.
    #[error("a first object cannot be made")]
    Object(#[from] Refused),
}

/// The options of a server.
#[derive(Debug, Clone)]
#[must_use = "it becomes a server by start()"]
pub struct Builder {
    base: String,
    namespace: Option<String>,
    plain: bool,
    certificate: ServerCertificate,
    check: ClientCheck,
    takes_anybody: bool,
    history: usize,
}

impl Builder {
    /// Serves the API below `path`, such as `/k8s/clusters/c-1`, as Rancher does. What is outside answers 200 with
    /// `{"outside": PATH}`: another tenant, which no request through a kubeconfig of this server may reach.
    pub fn base_path(mut self, path: &str) -> Self {
        let path = path.trim_matches('/');
        self.base = if path.is_empty() { String::new() } else { format!("/{path}") };
        self
    }

    /// Sets the namespace of the contexts in its kubeconfigs.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Makes it speak plain HTTP, where only tokens and basic authentication work.
    pub fn plain_http(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Sets the server's certificate.
    pub fn certificate(mut self, certificate: ServerCertificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// Sets the stage at which invalid client certificates are refused.
    pub fn client_check(mut self, check: ClientCheck) -> Self {
        self.check = check;
        self
    }

    /// Accepts every token and client certificate as a user: for tests that check what clients send.
    pub fn takes_anybody(mut self) -> Self {
        self.takes_anybody = true;
        self.check = ClientCheck::Http;
        self
    }

    /// Sets how many changes are kept for watches (100,000 by default); older ones are compacted away.
    pub fn history(mut self, changes: usize) -> Self {
        self.history = changes;
        self
    }

    /// Starts the server, with certificates and tokens of its own.
    ///
    /// # Errors
    /// If there is no port, no thread or no temporary folder.
    pub fn start(self) -> Result<ApiServer, StartError> {
        let credentials = Credentials::new()?;
        let (tls, authority) = if self.plain { (None, None) } else { self.tls(&credentials).map(some)? };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let scheme = if self.plain { "http" } else { "https" };
        let url = format!("{scheme}://{address}{}", self.base);
        let folder = tempfile::Builder::new().prefix("kwasm-apiserver-").tempdir()?;
        kubeconfig::write_files(folder.path(), authority.as_deref().unwrap_or_default(), &credentials)?;
        for user in User::ALL {
            let mut context = kubeconfig::context(user, &url, authority.as_deref(), &credentials);
            context.namespace.clone_from(&self.namespace);
            Kubeconfig::new().with(context).write(&file_of(folder.path(), user))?;
        }
        let store = Store::new(self.history);
        for namespace in ["default", "kube-system"] {
            store.ensure(namespace)?;
        }
        let shared = Arc::new(Shared {
            store: Arc::new(store),
            log: Arc::default(),
            faults: Faults::new(),
            credentials,
            base: self.base,
            takes_anybody: self.takes_anybody,
            ends: watch::Sender::new(0),
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let thread = run(Arc::clone(&shared), listener, tls, stopped)?;
        Ok(ApiServer { shared, url, authority, folder, address, stop: Some(stop), thread: Some(thread) })
    }

    fn tls(&self, credentials: &Credentials) -> Result<(Tls, String), StartError> {
        let authority = Authority::root(&format!("kwasm-apiserver {}", object::new_uid()?))?;
        let names: &[&str] = match self.certificate {
            ServerCertificate::WrongName => &["wrong-name.example"],
            _ => &["kubernetes.default.svc", "localhost", "127.0.0.1"],
        };
        let validity = match self.certificate {
            ServerCertificate::Expired => Validity::Past,
            ServerCertificate::NotYetValid => Validity::Future,
            ServerCertificate::Good | ServerCertificate::WrongName => Validity::Now,
        };
        let server = authority.server(names, validity)?;
        let in_handshake = self.check == ClientCheck::Handshake;
        let tls = Tls::new(&server, &credentials.client_authority, in_handshake)?;
        Ok((tls, authority.pem().to_owned()))
    }
}

impl ApiServer {
    /// Starts a server with TLS, no base path, and good certificates.
    ///
    /// # Errors
    /// The same as [`Builder::start`].
    pub fn start() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// Returns a server with other options.
    pub fn builder() -> Builder {
        Builder {
            base: String::new(),
            namespace: None,
            plain: false,
            certificate: ServerCertificate::default(),
            check: ClientCheck::default(),
            takes_anybody: false,
            history: 100_000,
        }
    }

    /// Returns the address at which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for ApiServer {
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

/// Returns the path of the kubeconfig for `user`.
pub(crate) fn file_of(folder: &Path, user: User) -> std::path::PathBuf {
    folder.join(format!("{}.kubeconfig", user.name()))
}

fn some((tls, authority): (Tls, String)) -> (Option<Tls>, Option<String>) {
    (Some(tls), Some(authority))
}

fn run(
    shared: Arc<Shared>,
    listener: std::net::TcpListener,
    tls: Option<Tls>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("kwasm-apiserver")
        .enable_all()
        .build()?;
    let listener = {
        let _entered = runtime.enter();
        TcpListener::from_std(listener)?
    };
    let tls = tls.map(Arc::new);
    // A thread of its own owns the runtime: one must not be dropped inside another.
    thread::Builder::new().name("kwasm-apiserver".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = accept(shared, listener, tls) => {}
                _ = stopped => {}
            }
        });
    })
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, tls: Option<Arc<Tls>>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
                tokio::spawn(serve(Arc::clone(&shared), stream, tls.clone(), number));
            }
            // Such as too many open files: it passes.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream, tls: Option<Arc<Tls>>, number: u64) {
    let _open = Open::new(&shared);
    if let Err(failure) = connection(&shared, stream, tls, number).await {
        shared.log.add_failure(format!("connection {number}: {failure}"));
    }
}

async fn connection(
    shared: &Arc<Shared>,
    stream: TcpStream,
    tls: Option<Arc<Tls>>,
    number: u64,
) -> Result<(), String> {
    stream.set_nodelay(true).map_err(|error| format!("socket: {error}"))?;
    let (stream, hello, certificate) = match tls {
        None => (Stream::Plain(stream), Hello::default(), None),
        Some(tls) => {
            let accepted = TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream).await;
            let stream = accepted.map_err(|error| format!("handshake: {error}"))?;
            let session = stream.get_ref().1;
            let chain = session.peer_certificates().unwrap_or_default();
            let certificate = identity::of_certificates(chain, tls.clients.as_ref());
            let server_name = session.server_name().map(ToOwned::to_owned);
            let hello = Hello { server_name, subject: identity::subject(chain) };
            (Stream::Tls(Box::new(stream)), hello, certificate)
        }
    };
    let wire = Arc::new(Wire::default());
    let tap = Tap::new(stream, Arc::clone(&wire));
    let connection = Arc::new(Connection { number, hello, certificate, wire });
    let service = service_fn(|request| service::serve(Arc::clone(shared), Arc::clone(&connection), request));
    let mut http = http1::Builder::new();
    // Far more than a gate should let through, so that it is the gate that refuses.
    http.max_headers(2000).max_buf_size(4 << 20);
    http.serve_connection(TokioIo::new(tap), service).await.map_err(|error| format!("http: {error}"))
}

/// Counts a connection as open for as long as it lives.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(shared))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
