//! TLS servers with any certificate that a test gives them, and servers that do not speak TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SigningKey,
};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Each version of TLS by itself.
pub(crate) const VERSIONS: [&[&SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];

/// Signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// A certificate with those that lead to its authority, and its key.
pub(crate) struct Keyed {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
    /// The certificate itself.
    pub(crate) pem: String,
}

/// Returns the parameters of a server's certificate: its common name, and its names and addresses.
pub(crate) fn server(subject: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, subject);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2120, 1, 1);
    params
}

/// Returns the parameters of an authority's certificate.
pub(crate) fn authority(subject: &str, names: &[&str]) -> CertificateParams {
    let mut params = server(subject, names);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

/// Returns a certificate that signed itself.
pub(crate) fn self_signed(params: &CertificateParams) -> Keyed {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Keyed { chain: vec![certificate.der().clone()], pem: certificate.pem(), key }
}

impl Authority {
    pub(crate) fn new(subject: &str) -> Self {
        Self::with(authority(subject, &[]))
    }

    pub(crate) fn with(mut params: CertificateParams) -> Self {
        params.extended_key_usages.clear();
        let Keyed { chain, key, pem } = self_signed(&params);
        Self { issuer: Issuer::new(params, key), certificate: chain[0].clone(), pem }
    }

    /// Returns the authority's own certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn sign(&self, params: &CertificateParams) -> Keyed {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Keyed { chain: vec![certificate.der().clone()], pem: certificate.pem(), key }
    }

    /// Returns a certificate that says the same, without what X.509 v1 cannot say: names of hosts, for one.
    pub(crate) fn sign_version_1(&self, params: &CertificateParams) -> Keyed {
        let keyed = self.sign(params);
        let sign = |to_be_signed: &[u8]| self.issuer.key().sign(to_be_signed);
        let der = kwasm_cluster::without_extensions(&keyed.chain[0], sign).unwrap().unwrap();
        Keyed { chain: vec![der.into()], ..keyed }
    }

    /// Returns an authority below this one, and its certificate.
    pub(crate) fn below(&self, params: &CertificateParams) -> (Self, CertificateDer<'static>) {
        let Keyed { chain, key, pem } = self.sign(params);
        let issuer = Issuer::new(params.clone(), key);
        (Self { issuer, certificate: chain[0].clone(), pem }, chain[0].clone())
    }
}

/// A server on loopback that behaves as configured, until the tests end.
pub(crate) struct TlsServer {
    address: SocketAddr,
}

/// The TLS settings of a server.
pub(crate) struct Spoken {
    pub(crate) versions: &'static [&'static SupportedProtocolVersion],
    /// The authority of accepted clients; all are accepted without one.
    pub(crate) clients: Option<CertificateDer<'static>>,
}

impl Default for Spoken {
    fn default() -> Self {
        Self { versions: rustls::ALL_VERSIONS, clients: None }
    }
}

impl Spoken {
    /// Returns the configuration of a server with this certificate.
    pub(crate) fn config(&self, keyed: &Keyed) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::try_from(keyed.key.serialize_der()).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        // Not `with_single_cert`: it takes no certificate of X.509 v1.
        let resolver = SingleCertAndKey::from(CertifiedKey::new(keyed.chain.clone(), key));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(self.versions)
            .unwrap();
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        Arc::new(builder.with_cert_resolver(Arc::new(resolver)))
    }
}

impl Authority {
    /// Requires clients to have a certificate of this authority.
    pub(crate) fn asked_of_clients(&self) -> Spoken {
        Spoken { clients: Some(self.certificate.clone()), ..Spoken::default() }
    }
}

impl TlsServer {
    pub(crate) fn with(keyed: &Keyed) -> Self {
        Self::start(keyed, &Spoken::default())
    }

    /// Answers each request with an empty object.
    pub(crate) fn start(keyed: &Keyed, spoken: &Spoken) -> Self {
        let config = spoken.config(keyed);
        Self::behind(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            answer(StreamOwned::new(connection, stream));
        })
    }

    /// Sends this to a client that has sent something, and closes the connection.
    pub(crate) fn saying(bytes: &'static [u8]) -> Self {
        Self::behind(move |mut stream| {
            let mut hello = [0; 4096];
            // A client that has closed the connection reports why.
            drop(stream.read(&mut hello));
            drop(stream.write_all(bytes));
        })
    }

    fn behind(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serve = Arc::new(serve);
        // It ends with the process, when no one connects any more.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream.unwrap()));
            }
        });
        Self { address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Reads the head of a request and answers it.
fn answer(mut stream: impl Read + Write) {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        // A failed handshake is reported by the client.
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(length) => head.extend_from_slice(&piece[..length]),
        }
    }
    let text = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    drop(stream.write_all(text.as_bytes()));
    drop(stream.flush());
}
