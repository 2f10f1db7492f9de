//! Client certificates.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::document::UserEntry;
use super::super::pem::{Pem, sections};
use super::super::secret::Secret;
use super::super::trust::date;
use super::Error;
use super::error::wrong;
use super::key;

/// The time after which a certificate in a file is read again. client-go checks for each new connection, and
/// every five minutes.
const FRESH: Duration = Duration::from_mins(1);

const CERTIFICATE: &str = "the client certificate";
const KEY: &str = "the client key";

/// The error for a certificate or key that is given in two ways, as in client-go.
const BOTH: &str = "it is given twice, as data and as a file";

/// The owner and the validity period of a client certificate, in seconds since 1970.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Validity {
    /// The user of the kubeconfig that it belongs to.
    pub user: String,
    /// The subject, e.g. `O=dev, CN=alice`.
    pub subject: String,
    /// The subject of its issuer.
    pub issuer: String,
    /// The beginning of its validity.
    pub not_before: i64,
    /// The end of its validity.
    pub not_after: i64,
}

impl Validity {
    /// Returns why it is not valid at `now`, in seconds since 1970, e.g. `expired on 2020-01-01 00:00 UTC`.
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

/// A certificate with its key, and its validity if that can be parsed.
pub(super) struct Certificate {
    key: Arc<CertifiedKey>,
    validity: Option<Validity>,
    /// The digest of both texts, to notice changes.
    digest: [u8; 32],
}

/// A defect of a client certificate or its key.
pub(super) struct Flaw {
    /// The defective part.
    pub(super) what: &'static str,
    pub(super) why: String,
    /// A hint, if there is one.
    pub(super) hint: Option<&'static str>,
}

impl Flaw {
    fn new(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, why: why.into(), hint: None }
    }
}

impl Certificate {
    /// Reads a certificate and its key from PEM. Returns `last` if they are unchanged.
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
        let certificates = sections(chain).into_iter().filter(|section| section.label == "CERTIFICATE");
        let chain: Vec<_> = certificates.map(|one| CertificateDer::from(one.content.to_vec())).collect();
        let Some(first) = chain.first() else {
            return Err(Flaw::new(CERTIFICATE, "it holds no certificate"));
        };
        let validity = Validity::of(user, first);
        let key = key::read(key).map_err(|(why, hint)| Flaw { what: KEY, why, hint })?;
        let key = CertifiedKey::new(chain, key);
        if !belongs(&key) {
            return Err(Flaw::new(KEY, "it is not the key of the client certificate"));
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

/// Returns whether a key belongs to its certificate, as far as both can be parsed. rustls' own `keys_match`
/// cannot parse X.509 v1.
fn belongs(key: &CertifiedKey) -> bool {
    let certificate = key.cert.first().and_then(|certificate| X509Certificate::from_der(certificate).ok());
    match (certificate, key.key.public_key()) {
        (Some((_, certificate)), Some(public)) => certificate.public_key().raw == public.as_ref(),
        _ => true,
    }
}

/// A certificate and its key, in the kubeconfig or in files.
pub(super) struct Pair {
    user: String,
    certificate: Pem,
    key: Pem,
    held: Mutex<Option<(Arc<Certificate>, Instant)>>,
}

impl Pair {
    /// Returns the pair of a user's entry, if it has a certificate. A key alone does not count, as in
    /// client-go.
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

    /// Returns whether it may be replaced. As in client-go, a pair with a part in the kubeconfig never
    /// changes.
    pub(super) fn is_in_files(&self) -> bool {
        self.certificate.file().is_some() && self.key.file().is_some()
    }

    /// Returns the certificate, read again if it may be outdated.
    pub(super) fn current(&self) -> Result<Arc<Certificate>, Error> {
        self.newer_than(FRESH)
    }

    /// Returns the certificate as it is now.
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
        let chain = self.certificate.read().map_err(|why| wrong(&self.user, CERTIFICATE, why))?;
        let key = self.key.read().map_err(|why| wrong(&self.user, KEY, why))?;
        let read = Certificate::read(&self.user, &chain, &key, last);
        read.map_err(|Flaw { what, why, hint }| Error::Entry { what, user: self.user.clone(), why, hint })
    }
}
