//! A small blocking HTTPS client, and a bare one that may break every rule.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use kwasm_apiserver::{ApiServer, KeyedCertificate, User};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

pub(crate) type Body = BoxBody<Bytes, std::io::Error>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Makes each request on a connection of its own.
pub(crate) struct Client {
    runtime: Arc<Runtime>,
    address: std::net::SocketAddr,
    base: String,
    name: &'static str,
    tls: Option<Arc<ClientConfig>>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Whole {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn reason(&self) -> String {
        let status = self.json();
        assert_eq!((&status["kind"], &status["code"]), (&"Status".into(), &self.status.into()), "{status}");
        status["reason"].as_str().unwrap().to_owned()
    }
}

impl Client {
    /// Returns one with the good client certificate.
    pub(crate) fn new(server: &ApiServer) -> Self {
        Self::with(server, server.authority(), server.client_certificate(User::Certificate))
    }

    /// Returns one that trusts `authority` and shows `certificate`.
    pub(crate) fn with(
        server: &ApiServer,
        authority: Option<&str>,
        certificate: Option<&KeyedCertificate>,
    ) -> Self {
        let base = server.url().splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let tls = authority.map(|authority| Arc::new(tls(authority, certificate)));
        let address = server.address();
        Self { runtime: Arc::new(runtime), address, base, name: "127.0.0.1", tls, headers: Vec::new() }
    }

    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.headers.push((AUTHORIZATION.as_str(), format!("Bearer {token}")));
        self
    }

    pub(crate) fn get(&self, path: &str) -> Whole {
        self.send("GET", path, "")
    }

    pub(crate) fn post(&self, path: &str, object: &Value) -> Whole {
        self.send("POST", path, object.to_string())
    }

    pub(crate) fn delete(&self, path: &str) -> Whole {
        self.send("DELETE", path, "")
    }

    /// Sends JSON and reads the whole answer.
    pub(crate) fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Whole {
        self.send_as(method, path, "application/json", body).unwrap()
    }

    pub(crate) fn send_as(
        &self,
        method: &str,
        path: &str,
        media_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Whole, Failure> {
        let body = Full::new(body.into()).map_err(|never| match never {}).boxed();
        self.open(method, path, &[("content-type", media_type)], body)?.whole()
    }

    /// Begins a request and returns the answer's head.
    pub(crate) fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Result<Open, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header(HOST, self.name);
        for (name, value) in
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).chain(headers.iter().copied())
        {
            request = request.header(name, value);
        }
        let request = request.body(body)?;
        let response = self.runtime.block_on(self.exchange(request))?;
        Ok(Open { response, runtime: Arc::clone(&self.runtime), line: Vec::new() })
    }

    /// Begins a watch or another GET that is read as it comes.
    pub(crate) fn watch(&self, path: &str) -> Open {
        self.open("GET", path, &[], empty()).unwrap()
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Response<Incoming>, Failure> {
        let stream = tokio::net::TcpStream::connect(self.address).await?;
        let Some(tls) = &self.tls else {
            return over(stream, request).await;
        };
        let connector = TlsConnector::from(Arc::clone(tls));
        over(connector.connect(ServerName::try_from(self.name)?, stream).await?, request).await
    }
}

async fn over<S>(stream: S, request: Request<Body>) -> Result<Response<Incoming>, Failure>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = hyper::client::conn::http1::Builder::new();
    let (mut sender, connection) = builder.max_headers(1000).handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    match sender.send_request(request).await {
        // The connection was lost before the request, and knows why.
        Err(error) if error.is_canceled() => match connection.await? {
            Err(cause) => Err(cause.into()),
            Ok(()) => Err(error.into()),
        },
        sent => Ok(sent?),
    }
}

/// An answer whose body is still to come.
pub(crate) struct Open {
    response: Response<Incoming>,
    runtime: Arc<Runtime>,
    line: Vec<u8>,
}

impl Open {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns the next piece; `None` at a proper end.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        // A test that waits for what never comes fails, and does not hang.
        let frame = async { tokio::time::timeout(Duration::from_mins(2), self.response.frame()).await };
        match self.runtime.block_on(frame)? {
            None => Ok(None),
            Some(frame) => Ok(Some(frame?.into_data().unwrap_or_default())),
        }
    }

    /// Returns the next event of a watch; `None` at a proper end.
    pub(crate) fn event(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.line.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let Some(piece) = self.next().unwrap() else {
                assert!(self.line.is_empty(), "half a line");
                return None;
            };
            self.line.extend_from_slice(&piece);
        }
    }

    /// Returns the next event as `TYPE name`.
    pub(crate) fn seen(&mut self) -> Option<String> {
        let event = self.event()?;
        let name = &event["object"]["metadata"]["name"];
        Some(format!("{} {}", event["type"].as_str().unwrap(), name.as_str().unwrap()))
    }

    pub(crate) fn whole(mut self) -> Result<Whole, Failure> {
        let mut body = Vec::new();
        while let Some(piece) = self.next()? {
            body.extend_from_slice(&piece);
        }
        let status = self.response.status().as_u16();
        Ok(Whole { status, headers: self.response.headers().clone(), body: body.into() })
    }
}

/// A plain TCP connection to a server without TLS.
pub(crate) struct Bare(TcpStream);

impl Bare {
    /// Connects and sends `text`, where `{auth}` becomes host and token.
    pub(crate) fn send(server: &ApiServer, text: &str) -> Self {
        let auth = format!("Host: x\r\nAuthorization: Bearer {}", server.token());
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(text.replace("{auth}", &auth).as_bytes()).unwrap();
        Self(stream)
    }

    /// Returns all that comes until the server closes, and how it did.
    pub(crate) fn read(mut self) -> (String, std::io::Result<()>) {
        let mut all = Vec::new();
        let end = self.0.read_to_end(&mut all).map(drop);
        (String::from_utf8(all).unwrap(), end)
    }

    /// Reads until `text` has come.
    pub(crate) fn read_to(&mut self, text: &str) -> String {
        let (mut all, mut byte) = (Vec::new(), [0]);
        while !all.ends_with(text.as_bytes()) {
            self.0.read_exact(&mut byte).unwrap();
            all.push(byte[0]);
        }
        String::from_utf8(all).unwrap()
    }
}

fn tls(authority: &str, certificate: Option<&KeyedCertificate>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let Some(certificate) = certificate else {
        return builder.with_no_client_auth();
    };
    let chain =
        CertificateDer::pem_slice_iter(certificate.certificate.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
    builder.with_client_auth_cert(chain, key).unwrap()
}

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

/// Waits for something that another thread is about to do, with a long timeout.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the message of `error` with all its causes.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
