//! Client certificates.

use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::Error;
use super::super::pem::Pem;
use super::wrong;

/// Whose a client certificate is and when it holds, as seconds since 1970.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Validity {
    /// The user of the kubeconfig who owns it.
    pub user: String,
    /// Its subject, e.g. `O=dev, CN=alice`.
    pub subject: String,
    /// Its issuer's subject.
    pub issuer: String,
    /// From when.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
}

impl Validity {
    fn of(user: &str, certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        Some(Self {
            user: user.to_owned(),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
        })
    }
}

/// A certificate with its key, and what it says of itself if that can be read.
type Known = (Option<Arc<CertifiedKey>>, Option<Validity>);

/// Reads a certificate and its key.
pub(super) fn read(user: &str, certificate: &Pem, key: &Pem) -> Result<Known, Error> {
    const CERTIFICATE: &str = "the client certificate";
    const KEY: &str = "the client key";
    let chain = certificate.read().map_err(|reason| wrong(user, CERTIFICATE, reason))?;
    let key = key.read().map_err(|reason| wrong(user, KEY, reason))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.map_err(|error| wrong(user, CERTIFICATE, error.to_string()))?;
    let Some(first) = chain.first() else {
        return Err(wrong(user, CERTIFICATE, "it holds no certificate".to_owned()));
    };
    let validity = Validity::of(user, first);
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| wrong(user, KEY, error.to_string()))?;
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)
        .map_err(|error| wrong(user, KEY, error.to_string()))?;
    let key = CertifiedKey::new(chain, key);
    match key.keys_match() {
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(wrong(user, KEY, "it is not the key of the client certificate".to_owned()))
        }
        // What webpki cannot read, X.509 v1 for one, the server judges.
        _ => Ok((Some(Arc::new(key)), validity)),
    }
}
