//! Proxies on loopback: of HTTP, of HTTP over TLS, and of SOCKS 5. They lead to one server, by a name that no
//! one else resolves, and record the connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::tls::{Keyed, Spoken};

/// The server's name at the proxies.
pub(crate) const BEHIND: &str = "cluster.example:6443";

/// A running proxy. It ends when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    scheme: &'static str,
    log: Arc<Mutex<Vec<Carried>>>,
    stop: Option<oneshot::Sender<()>>,
}

/// A requested connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Carried {
    /// To where, e.g. `cluster.example:6443`.
    pub(crate) to: String,
    /// The login, e.g. `user:password`.
    pub(crate) login: Option<String>,
}

/// The protocol of the proxy.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'a> {
    Http,
    Https(&'a Keyed),
    HttpsAs(&'a Keyed, &'a Spoken),
    Socks5,
}

/// The settings and the log of a proxy.
struct Rules {
    upstream: SocketAddr,
    login: Option<&'static str>,
    log: Arc<Mutex<Vec<Carried>>>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Proxy {
    /// Starts a proxy that connects users with this login, `user:password`, to `upstream`; everyone, without
    /// one.
    pub(crate) fn start(kind: Kind<'_>, upstream: SocketAddr, login: Option<&'static str>) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let rules = Arc::new(Rules { upstream, login, log: Arc::clone(&log) });
        let (scheme, tls) = match kind {
            Kind::Http => ("http", None),
            Kind::Https(keyed) => ("https", Some(TlsAcceptor::from(Spoken::default().config(keyed)))),
            Kind::HttpsAs(keyed, spoken) => ("https", Some(TlsAcceptor::from(spoken.config(keyed)))),
            Kind::Socks5 => ("socks5", None),
        };
        let socks = scheme == "socks5";
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, tls, socks, rules) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, scheme, log, stop: Some(stop) }
    }

    /// Returns its address for a kubeconfig.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Returns the address with a login.
    pub(crate) fn url_for(&self, login: &str) -> String {
        format!("{}://{login}@{}", self.scheme, self.address)
    }

    /// Returns the requests so far.
    pub(crate) fn carried(&self) -> Vec<Carried> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // If no one receives it, it has ended already.
        self.stop.take().map(|stop| stop.send(())).transpose().unwrap_or_default();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, socks: bool, rules: Arc<Rules>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, rules) = (tls.clone(), Arc::clone(&rules));
        // Errors of a connection are reported by its client.
        tokio::spawn(async move {
            let mut stream: Box<dyn Stream> = match tls {
                Some(tls) => Box::new(tls.accept(stream).await?),
                None => Box::new(stream),
            };
            if socks { rules.socks(&mut stream).await } else { rules.http(&mut stream).await }
        });
    }
}

impl Rules {
    /// Records a request, and connects to its target.
    async fn connect(&self, to: &str, login: Option<String>) -> io::Result<Option<TcpStream>> {
        self.log.lock().unwrap().push(Carried { to: to.to_owned(), login });
        let known = to == BEHIND || to.rsplit(':').next() == self.upstream.to_string().rsplit(':').next();
        Ok(if known { Some(TcpStream::connect(self.upstream).await?) } else { None })
    }

    async fn http(&self, client: &mut Box<dyn Stream>) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let mut lines: Vec<&str> = head.lines().collect();
        let at = lines.iter().position(|line| line.to_ascii_lowercase().starts_with("proxy-authorization: "));
        let login = at.map(|at| {
            let encoded = lines.remove(at).rsplit(' ').next().unwrap_or_default();
            String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
        });
        if self.login.is_some() && login.as_deref() != self.login {
            let refusal =
                "HTTP/1.1 407 Who are you?\r\nproxy-authenticate: Basic realm=x\r\ncontent-length: 0\r\n\r\n";
            return client.write_all(refusal.as_bytes()).await;
        }
        let words: Vec<&str> = lines[0].split(' ').collect();
        let tunnel = words[0] == "CONNECT";
        let rest = words[1].strip_prefix("http://").unwrap_or(words[1]);
        let (to, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let Some(mut server) = self.connect(to, login).await? else {
            return client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
        };
        if tunnel {
            client.write_all(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n").await?;
        } else {
            let first = format!("{} {path} {}", words[0], words[2]);
            lines[0] = &first;
            server.write_all(format!("{}\r\n", lines.join("\r\n")).as_bytes()).await?;
        }
        copy_bidirectional(client, &mut server).await.map(drop)
    }

    async fn socks(&self, client: &mut Box<dyn Stream>) -> io::Result<()> {
        let mut greeting = [0; 2];
        client.read_exact(&mut greeting).await?;
        let mut methods = vec![0; greeting[1].into()];
        client.read_exact(&mut methods).await?;
        let wanted = if self.login.is_some() { 2 } else { 0 };
        if !methods.contains(&wanted) {
            return client.write_all(&[5, 0xff]).await;
        }
        client.write_all(&[5, wanted]).await?;
        let mut login = None;
        if wanted == 2 {
            assert_eq!(client.read_u8().await?, 1);
            login = Some(format!("{}:{}", counted(client).await?, counted(client).await?));
            let known = login.as_deref() == self.login;
            client.write_all(&[1, u8::from(!known)]).await?;
            if !known {
                return Ok(());
            }
        }
        let mut request = [0; 4];
        client.read_exact(&mut request).await?;
        let host = match request {
            [5, 1, 0, 1] => Ipv4Addr::from(client.read_u32().await?).to_string(),
            [5, 1, 0, 3] => counted(client).await?,
            _ => return client.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]).await,
        };
        let to = format!("{host}:{}", client.read_u16().await?);
        let Some(mut server) = self.connect(&to, login).await? else {
            return client.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        };
        // Its own end by name, which clients have to read past too.
        client.write_all(b"\x05\0\0\x03\x05proxy\0\x01").await?;
        copy_bidirectional(client, &mut server).await.map(drop)
    }
}

/// Reads a text that is prefixed with its length.
async fn counted(client: &mut Box<dyn Stream>) -> io::Result<String> {
    let mut text = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut text).await?;
    String::from_utf8(text).map_err(io::Error::other)
}
