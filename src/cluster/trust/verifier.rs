//! Verifies the certificates that a server presents, and explains what is wrong with them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, PeerMisbehaved, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use rustls_platform_verifier::Verifier as Platform;
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, KeyUsage,
    RequiredEkuNotFoundContext,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::distrust::{Asked, CertificateProblem};

/// Verifies certificates by the configured authorities.
pub(super) struct Verifier {
    judge: Judge,
    algorithms: WebPkiSupportedAlgorithms,
}

enum Judge {
    /// The authorities of a kubeconfig.
    Given {
        /// The verifier; `None` if all authorities are outside their validity periods.
        webpki: Option<Arc<WebPkiServerVerifier>>,
        /// The same authorities, without those outside their validity periods.
        anchors: Arc<RootCertStore>,
        authorities: Vec<CertificateDer<'static>>,
    },
    /// This machine's authorities.
    System(Platform),
    /// For a proxy: a cluster's authorities, or else this machine's, if it has any.
    Proxy(Arc<Verifier>, Option<Platform>),
    /// No authorities: every certificate is trusted.
    Unverified,
}

/// Returns the only provider of cryptography.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

impl Verifier {
    /// Returns a verifier by the certificates in this PEM. Unreadable ones are skipped, as by Go's
    /// `AppendCertsFromPEM`; it is an error if none is readable. Those outside their validity periods vouch
    /// for nothing, although webpki would accept them.
    pub(super) fn given(pem: &[u8]) -> Result<Self, String> {
        let found: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(found.iter().cloned());
        match (found.is_empty(), added) {
            (true, _) => return Err("it holds no certificate".to_owned()),
            (false, 0) => return Err("none of its certificates can be read".to_owned()),
            _ => {}
        }
        let now = UnixTime::now();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.iter().filter(|authority| is_timely(authority, now)).cloned());
        let anchors = Arc::new(roots);
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::clone(&anchors), provider());
        // Without any it cannot be built.
        Ok(Self::new(Judge::Given { webpki: webpki.build().ok(), anchors, authorities: found }))
    }

    /// Returns a verifier by this machine's authorities.
    pub(super) fn system() -> Result<Self, String> {
        let platform = Platform::new(provider()).map_err(|error| error.to_string())?;
        Ok(Self::new(Judge::System(platform)))
    }

    pub(super) fn unverified() -> Self {
        Self::new(Judge::Unverified)
    }

    /// Returns a verifier for a proxy, by a cluster's authorities or this machine's.
    pub(super) fn of_proxy(cluster: Arc<Self>) -> Self {
        // A machine without authorities still has the cluster's.
        Self::new(Judge::Proxy(cluster, Platform::new(provider()).ok()))
    }

    fn new(judge: Judge) -> Self {
        Self { judge, algorithms: provider().signature_verification_algorithms }
    }

    fn judge(&self, presented: &Presented<'_>) -> Result<ServerCertVerified, Error> {
        match &self.judge {
            Judge::Unverified => Ok(ServerCertVerified::assertion()),
            Judge::System(platform) => presented.to(platform),
            Judge::Proxy(cluster, platform) => cluster
                .judge(presented)
                .or_else(|error| platform.as_ref().map_or(Err(error), |platform| presented.to(platform))),
            Judge::Given { webpki, anchors, authorities } => {
                let unknown = || Err(CertificateError::UnknownIssuer.into());
                match webpki.as_ref().map_or_else(unknown, |webpki| presented.to(webpki.as_ref())) {
                    Err(_) if authorities.contains(presented.leaf) && presented.vouches_for_itself() => {
                        Ok(ServerCertVerified::assertion())
                    }
                    Err(
                        error @ Error::InvalidCertificate(
                            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
                        ),
                    ) => presented.for_any_purpose(anchors, self.algorithms.all).unwrap_or(Err(error)),
                    judged => judged,
                }
            }
        }
    }

    /// Returns the expected authorities, for messages.
    fn asked(&self) -> Asked<'_> {
        match &self.judge {
            Judge::Given { authorities, .. } => Asked::Kubeconfig(authorities),
            Judge::Proxy(..) => Asked::Proxy,
            Judge::System(_) | Judge::Unverified => Asked::System,
        }
    }
}

/// A server's certificates, and its expected name.
struct Presented<'a> {
    leaf: &'a CertificateDer<'a>,
    others: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

impl Presented<'_> {
    fn to(&self, verifier: &dyn ServerCertVerifier) -> Result<ServerCertVerified, Error> {
        verifier.verify_server_cert(self.leaf, self.others, self.name, self.ocsp, self.now)
    }

    /// Verifies a certificate for any purpose as one for a server: RFC 5280 (§4.2.1.12) permits that, and Go
    /// does it. rustls makes webpki require certificates that name servers. Returns `None` if it has no
    /// purpose, or another error applies.
    fn for_any_purpose(
        &self,
        anchors: &RootCertStore,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Option<Result<ServerCertVerified, Error>> {
        let leaf = EndEntityCert::try_from(self.leaf).ok()?;
        let path =
            leaf.verify_for_usage(algorithms, &anchors.roots, self.others, self.now, AnyPurpose, None, None);
        match path {
            Ok(_) => {}
            Err(webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey) => {
                return Some(Err(CertificateError::UnknownIssuer.into()));
            }
            Err(_) => return None,
        }
        let named = leaf.verify_is_valid_for_subject_name(self.name);
        Some(
            named.map_or(Err(CertificateError::NotValidForName.into()), |()| {
                Ok(ServerCertVerified::assertion())
            }),
        )
    }

    /// Returns whether a certificate that is itself among the authorities is valid now, for a server and for
    /// its name. Go accepts it (`Verify`, as a chain of one), but webpki does not if it is an authority's
    /// (`CaUsedAsEndEntity`).
    fn vouches_for_itself(&self) -> bool {
        let Ok((_, read)) = X509Certificate::from_der(self.leaf) else { return false };
        let Ok(parsed) = ParsedCertificate::try_from(self.leaf) else { return false };
        let purposes = read.extended_key_usage().ok().flatten().map(|usage| usage.value);
        let serves = purposes.is_none_or(|purposes| purposes.any || purposes.server_auth);
        let holds = is_timely(self.leaf, self.now);
        holds && serves && rustls::client::verify_server_name(&parsed, self.name).is_ok()
    }
}

/// Requires each certificate of a chain to be for servers, for any purpose, or not to state a purpose.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        /// `anyExtendedKeyUsage` and `id-kp-serverAuth` in DER.
        const FIT: [KeyPurposeId<'static>; 2] = [
            KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0x00]),
            KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]),
        ];
        let mut says = false;
        for purpose in purposes {
            says = true;
            if FIT.contains(&purpose?) {
                return Ok(());
            }
        }
        let context = RequiredEkuNotFoundContext { required: KeyUsage::server_auth(), present: Vec::new() };
        if says { Err(webpki::Error::RequiredEkuNotFoundContext(context)) } else { Ok(()) }
    }
}

/// Returns the name that a certificate has to have. Go compares addresses regardless of their notation, so
/// `::ffff:192.0.2.1` is 192.0.2.1.
fn canonical(name: &ServerName<'_>) -> Option<ServerName<'static>> {
    let ServerName::IpAddress(address) = name else { return None };
    Some(ServerName::IpAddress(IpAddr::from(*address).to_canonical().into()))
}

/// Returns whether a certificate is within its validity period, as far as it can be parsed.
fn is_timely(certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return true };
    let validity = certificate.validity();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let canonical = canonical(name);
        let name = canonical.as_ref().unwrap_or(name);
        let presented = Presented { leaf, others, name, ocsp, now };
        self.judge(&presented).map_err(|error| match error {
            Error::InvalidCertificate(error) => {
                distrusted(CertificateProblem::of(&error, leaf, others, name, now, &self.asked()))
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.judge {
            Judge::Unverified => self.verify_by_key(message, certificate, signed),
            _ => verify_tls12_signature(message, certificate, signed, &self.algorithms),
        }
        .map_err(|error| explained(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.judge {
            Judge::Unverified => self.verify_by_key(message, certificate, signed),
            _ => verify_tls13_signature(message, certificate, signed, &self.algorithms),
        }
        .map_err(|error| explained(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Explains why a signature of the handshake is refused: if its key is not supported, the error is about the
/// key rather than the signature.
fn explained(error: Error, certificate: &CertificateDer<'_>) -> Error {
    match &error {
        Error::InvalidCertificate(_) => CertificateProblem::of_key(certificate).map_or(error, distrusted),
        _ => error,
    }
}

fn distrusted(distrust: CertificateProblem) -> Error {
    CertificateError::Other(OtherError(Arc::new(distrust))).into()
}

impl Verifier {
    /// Verifies a signature by the key of a certificate of any kind: webpki reads no X.509 v1, which plain
    /// `openssl x509 -req` makes. Even an unverified server must have the key that it shows.
    fn verify_by_key(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (_, certificate) =
            X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
        let key = certificate.public_key().subject_public_key.data.as_ref();
        let unadvertised = PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme;
        let (_, algorithms) = self
            .algorithms
            .mapping
            .iter()
            .find(|(scheme, _)| *scheme == signed.scheme)
            .ok_or(unadvertised)?;
        // Of the algorithms of a scheme only the one for this kind of key can succeed.
        let holds = algorithms
            .iter()
            .any(|algorithm| algorithm.verify_signature(key, message, signed.signature()).is_ok());
        if holds {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}
