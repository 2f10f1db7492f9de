//! A server's certificate, which is read again when its files change: a cluster renews it while the server runs.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::error::Error;
use super::options::{Log, Tls};
use crate::reference::Digest;

/// How often the files are looked at: a kubelet takes a minute or so to renew a mounted Secret.
const INTERVAL: Duration = Duration::from_secs(5);

/// The largest file of a certificate or a key, in bytes.
const LONGEST: u64 = 1 << 20;

/// A certificate with its key.
pub(super) struct Certificate {
    files: Tls,
    current: RwLock<Current>,
}

struct Current {
    /// The digests of both files.
    seen: [Digest; 2],
    key: Arc<CertifiedKey>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate in {}", self.files.certificate.display())
    }
}

/// The content of both files.
struct Content {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Content {
    fn read(files: &Tls) -> Result<Self, Error> {
        Ok(Self { certificate: read(&files.certificate)?, key: Zeroizing::new(read(&files.key)?) })
    }

    fn digests(&self) -> [Digest; 2] {
        [Digest::of(&self.certificate), Digest::of(&self.key)]
    }

    fn parse(&self, files: &Tls) -> Result<Arc<CertifiedKey>, Error> {
        let unfit = |path: &Path, reason: &dyn fmt::Display| Error::Certificate {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unfit(&files.certificate, &error))?;
        if chain.is_empty() {
            return Err(unfit(&files.certificate, &"there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| unfit(&files.key, &"there is no private key in PEM in it"))?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                unfit(&files.key, &format!("it is not the key of {}", files.certificate.display()))
            }
            error => unfit(&files.key, &error),
        })?;
        Ok(Arc::new(certified))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > LONGEST {
        return Err(Error::Certificate {
            path: path.to_owned(),
            reason: "it is larger than 1 MiB".to_owned(),
        });
    }
    fs::read(path).map_err(unreadable)
}

fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

impl Certificate {
    /// Reads it.
    ///
    /// # Errors
    /// If a file cannot be read, or they are no certificate with its key.
    pub(super) fn read(files: &Tls) -> Result<Self, Error> {
        let content = Content::read(files)?;
        let current = Current { seen: content.digests(), key: content.parse(files)? };
        Ok(Self { files: files.clone(), current: RwLock::new(current) })
    }

    /// Returns what makes TLS of connections, with whatever the certificate is then.
    pub(super) fn acceptor(self: Arc<Self>) -> Result<TlsAcceptor, Error> {
        let unfit = |error: rustls::Error| Error::Certificate {
            path: self.files.certificate.clone(),
            reason: error.to_string(),
        };
        let mut settings = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .map_err(unfit)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self) as Arc<dyn ResolvesServerCert>);
        settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(settings)))
    }

    /// Takes the files' content, if it has changed. Returns whether it has.
    fn renew(&self) -> Result<bool, ([Digest; 2], Error)> {
        let unread = |error| (self.seen(), error);
        let content = Content::read(&self.files).map_err(unread)?;
        let seen = content.digests();
        if seen == self.seen() {
            return Ok(false);
        }
        let key = content.parse(&self.files).map_err(|error| (seen, error))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current { seen, key };
        Ok(true)
    }

    fn seen(&self) -> [Digest; 2] {
        self.current.read().unwrap_or_else(PoisonError::into_inner).seen
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

/// Takes what the files contain whenever they have changed, forever. While they cannot be used, the last certificate stays.
pub(super) async fn keep_current(certificate: Arc<Certificate>, log: Log) {
    let mut told = None;
    loop {
        tokio::time::sleep(INTERVAL).await;
        let reading = Arc::clone(&certificate);
        // It cannot panic, nor is it aborted.
        let Ok(renewed) = tokio::task::spawn_blocking(move || reading.renew()).await else { return };
        match renewed {
            Ok(false) => {}
            Ok(true) => {
                log("the certificate was renewed");
                told = None;
            }
            // Half of a renewal, or a broken one: told once.
            Err((seen, error)) => {
                if told.replace(seen) != Some(seen) {
                    log(&format!("the certificate was not renewed: {}", crate::message::chain(&error)));
                }
            }
        }
    }
}
