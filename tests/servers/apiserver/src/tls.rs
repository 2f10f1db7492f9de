//! Certificates and the server's side of TLS.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use time::{Duration, OffsetDateTime};

/// A certificate with its key, both PEM.
#[derive(Clone)]
pub struct KeyedCertificate {
    /// One or more `CERTIFICATE` blocks, the leaf first.
    pub certificate: String,
    /// A `PRIVATE KEY` block (PKCS #8, ECDSA on P-256).
    pub key: String,
}

impl KeyedCertificate {
    /// Returns a client certificate for `user` by an unknown authority, for servers that accept everyone.
    ///
    /// # Errors
    /// If no key can be created.
    pub fn of_stranger(user: &str) -> Result<Self, rcgen::Error> {
        Authority::root("a stranger")?.client(user, ["strangers", "others"], Validity::Now)
    }
}

/// The validity period of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validity {
    Now,
    Past,
    Future,
}

/// Issues certificates.
pub(crate) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Returns a new root named `name`.
    pub(crate) fn root(name: &str) -> Result<Self, rcgen::Error> {
        let (params, key) = (Self::params(name)?, KeyPair::generate()?);
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// Returns a new authority named `name` whose certificate this one signs.
    pub(crate) fn intermediate(&self, name: &str) -> Result<Self, rcgen::Error> {
        let (params, key) = (Self::params(name)?, KeyPair::generate()?);
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// Returns the authority's own certificate in PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.certificate
    }

    /// Returns a server certificate for DNS names and IP addresses; the first name is also the subject's
    /// common name.
    pub(crate) fn server(
        &self,
        names: &[&str],
        validity: Validity,
    ) -> Result<KeyedCertificate, rcgen::Error> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let common_name = names.first().cloned().unwrap_or_default();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params, validity)
    }

    /// A client certificate: the common name is the user, the organisations are groups.
    pub(crate) fn client(
        &self,
        user: &str,
        groups: [&str; 2],
        validity: Validity,
    ) -> Result<KeyedCertificate, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        // rcgen keeps one value of each type; the second organisation goes by its number.
        let types = [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])];
        for (name, group) in types.into_iter().zip(groups) {
            params.distinguished_name.push(name, group);
        }
        params.distinguished_name.push(DnType::CommonName, user);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params, validity)
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        validity: Validity,
    ) -> Result<KeyedCertificate, rcgen::Error> {
        let (now, day) = (OffsetDateTime::now_utc(), Duration::DAY);
        (params.not_before, params.not_after) = match validity {
            // An hour over, so that "valid for N days" does not change in the middle of a test.
            Validity::Now => (now - day, now + day * 365 + Duration::HOUR),
            Validity::Past => (now - day * 2, now - day),
            Validity::Future => (now + day, now + day * 365),
        };
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(KeyedCertificate { certificate, key: key.serialize_pem() })
    }

    fn params(name: &str) -> Result<CertificateParams, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let now = OffsetDateTime::now_utc();
        (params.not_before, params.not_after) =
            (now - Duration::DAY * 30, now + Duration::DAY * 3650 + Duration::HOUR);
        Ok(params)
    }
}

/// The server's TLS configuration, and the check of client certificates for servers that leave it to HTTP.
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) clients: Arc<dyn ClientCertVerifier>,
}

impl Tls {
    /// Returns the configuration of a server with the certificate `server` that accepts client certificates
    /// signed by `clients` (PEM). With `check_in_handshake`, others end the handshake with an alert;
    /// otherwise all are accepted, to be checked later.
    pub(crate) fn new(
        server: &KeyedCertificate,
        clients: &str,
        check_in_handshake: bool,
    ) -> io::Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        for certificate in certificates(clients)? {
            roots.add(certificate).map_err(io::Error::other)?;
        }
        let clients = verifier(roots, &provider)?;
        let in_handshake: Arc<dyn ClientCertVerifier> =
            if check_in_handshake { Arc::clone(&clients) } else { Arc::new(Later(Arc::clone(&clients))) };
        let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes()).map_err(io::Error::other)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_client_cert_verifier(in_handshake)
            .with_single_cert(certificates(&server.certificate)?, key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), clients })
    }
}

fn verifier(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> io::Result<Arc<dyn ClientCertVerifier>> {
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    builder.allow_unauthenticated().build().map_err(io::Error::other)
}

fn certificates(pem: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().map_err(io::Error::other)
}

/// Lets every client certificate through the handshake, as the real API server does: it requests one (Go's
/// `RequestClientCert`) and answers 401 if it is not valid.
#[derive(Debug)]
struct Later(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Later {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
