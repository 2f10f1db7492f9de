//! Client certificates.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::document::UserEntry;
use super::super::pem::Pem;
use super::super::secret::Secret;
use super::super::trust::date;
use super::Error;
use super::error::wrong;

/// How long a certificate in a file is the newest. client-go looks for each new connection, and every five minutes.
const FRESH: Duration = Duration::from_mins(1);

const CERTIFICATE: &str = "the client certificate";
const KEY: &str = "the client key";

/// What is wrong with either of them that client-go does not choose between.
const BOTH: &str = "it is there twice, as data and as a file";

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
    /// What is wrong with its times at `now`, in seconds since 1970, e.g. `expired on 2020-01-01 00:00 UTC`.
    #[must_use]
    pub fn fault(&self, now: i64) -> Option<String> {
        if now > self.not_after {
            return Some(format!("expired on {}", date(self.not_after)));
        }
        let (begin, now) = (date(self.not_before), (now < self.not_before).then(|| date(now))?);
        Some(format!("is not valid before {begin}, and this machine's clock says {now}"))
    }

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
pub(super) struct Certificate {
    key: Arc<CertifiedKey>,
    validity: Option<Validity>,
    /// Of both texts: whether others are the same.
    digest: [u8; 32],
}

/// What is wrong with one, and with which part of it.
pub(super) type Flaw = (&'static str, String);

impl Certificate {
    /// Reads a certificate and its key from PEM. Where they are what `last` is, that is it.
    pub(super) fn read(
        user: &str,
        chain: &[u8],
        key: &[u8],
        last: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, Flaw> {
        let digest = Sha256::new().chain_update(Sha256::digest(chain)).chain_update(key).finalize().into();
        if let Some(last) = last.filter(|last| last.digest == digest) {
            return Ok(Arc::clone(last));
        }
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|error| (CERTIFICATE, error.to_string()))?;
        let Some(first) = chain.first() else {
            return Err((CERTIFICATE, "it holds no certificate".to_owned()));
        };
        let validity = Validity::of(user, first);
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| (KEY, error.to_string()))?;
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)
            .map_err(|error| (KEY, error.to_string()))?;
        let key = CertifiedKey::new(chain, key);
        if !belongs(&key) {
            return Err((KEY, "it is not the key of the client certificate".to_owned()));
        }
        Ok(Arc::new(Self { key: Arc::new(key), validity, digest }))
    }

    pub(super) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    pub(super) fn validity(&self) -> Option<&Validity> {
        self.validity.as_ref()
    }
}

/// Whether a key is that of its certificate, as far as either can be read. rustls' own `keys_match` reads no X.509 v1.
fn belongs(key: &CertifiedKey) -> bool {
    let certificate = key.cert.first().and_then(|certificate| X509Certificate::from_der(certificate).ok());
    match (certificate, key.key.public_key()) {
        (Some((_, certificate)), Some(public)) => certificate.public_key().raw == public.as_ref(),
        _ => true,
    }
}

/// A certificate and its key in the kubeconfig, or in files of their own.
pub(super) struct Pair {
    user: String,
    certificate: Pem,
    key: Pem,
    held: Mutex<Option<(Arc<Certificate>, Instant)>>,
}

impl Pair {
    /// That of a user's entry, if it has a certificate. A key alone is none, as in client-go.
    pub(super) fn of(user: &str, entry: &UserEntry) -> Result<Option<Self>, Error> {
        let data = entry.client_certificate_data.as_deref();
        let Some(certificate) = Pem::of(data, entry.client_certificate.as_deref()) else { return Ok(None) };
        let data = entry.client_key_data.as_ref().map(Secret::reveal).filter(|data| !data.is_empty());
        let Some(key) = Pem::of(data, entry.client_key.as_deref()) else {
            return Err(wrong(user, CERTIFICATE, "its key is missing"));
        };
        if certificate.file().is_none() && entry.client_certificate.is_some() {
            return Err(wrong(user, CERTIFICATE, BOTH));
        }
        if key.file().is_none() && entry.client_key.is_some() {
            return Err(wrong(user, KEY, BOTH));
        }
        Ok(Some(Self { user: user.to_owned(), certificate, key, held: Mutex::new(None) }))
    }

    /// Whether somebody may write it anew. As in client-go, one of which a part is in the kubeconfig stays what it is.
    pub(super) fn is_in_files(&self) -> bool {
        self.certificate.file().is_some() && self.key.file().is_some()
    }

    /// The certificate, read again where it may be old.
    pub(super) fn current(&self) -> Result<Arc<Certificate>, Error> {
        self.newer_than(FRESH)
    }

    /// The certificate as it is now.
    pub(super) fn renewed(&self) -> Result<Arc<Certificate>, Error> {
        self.newer_than(Duration::ZERO)
    }

    fn newer_than(&self, age: Duration) -> Result<Arc<Certificate>, Error> {
        // It is replaced as a whole.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((last, read)) = held.as_ref()
            && (!self.is_in_files() || read.elapsed() < age)
        {
            return Ok(Arc::clone(last));
        }
        let last = held.as_ref().map(|(last, _)| Arc::clone(last));
        let certificate = match (self.read(last.as_ref()), last) {
            // While the files are being replaced, one after the other, the last good one goes on.
            (Err(_), Some(last)) => last,
            (read, _) => read?,
        };
        *held = Some((Arc::clone(&certificate), Instant::now()));
        Ok(certificate)
    }

    fn read(&self, last: Option<&Arc<Certificate>>) -> Result<Arc<Certificate>, Error> {
        let flawed = |(what, why)| wrong(&self.user, what, why);
        let chain = self.certificate.read().map_err(|why| flawed((CERTIFICATE, why)))?;
        let key = self.key.read().map_err(|why| flawed((KEY, why)))?;
        Certificate::read(&self.user, &chain, &key, last).map_err(flawed)
    }
}
