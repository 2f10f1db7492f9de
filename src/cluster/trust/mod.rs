//! The trust in an API server: the authorities of a cluster, and the name that its certificate must have.
//!
//! The reference is client-go's `TLSConfigFor` and Go's `crypto/x509`. Authorities in a file are read again
//! after a minute, as in client-go, since those of a cluster may be renewed during a watch.

mod distrust;
mod flaws;
mod shown;
mod verifier;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::ServerName;
use serde::Serialize;
use zeroize::Zeroizing;

pub use self::distrust::CertificateProblem;
pub(crate) use self::distrust::date;
pub(crate) use self::flaws::words;
use self::verifier::Verifier;
use super::Error;
use super::document::ClusterEntry;
use super::endpoint::Endpoint;
use super::pem::Pem;

/// The trust settings for a server.
#[derive(Clone)]
pub struct Trust(Arc<Settings>);

struct Settings {
    context: String,
    roots: RootStore,
    server_name: Option<(String, ServerName<'static>)>,
    known: Mutex<Option<Known>>,
}

/// The authorities for a server.
enum RootStore {
    /// The kubeconfig's authorities.
    Given(Pem),
    /// This machine's authorities.
    System,
    /// No authorities are required: `insecure-skip-tls-verify`.
    Unverified,
    /// The server does not use TLS.
    Unused,
}

/// The source of a cluster's authorities.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// The kubeconfig itself.
    Data,
    /// A file that the kubeconfig names.
    File,
    /// This machine.
    System,
    /// No authorities: every server is trusted, or it speaks plain HTTP.
    None,
}

/// The configurations made from the authorities, so that connections with the same settings resume each
/// other's sessions.
struct Known {
    read: Instant,
    /// The PEM that was read, to notice changes.
    pem: Option<Zeroizing<Vec<u8>>>,
    verifier: Arc<Verifier>,
    server: Option<(Option<Arc<CertifiedKey>>, Arc<ClientConfig>)>,
    proxy: Option<Arc<ClientConfig>>,
}

/// The time after which a file of authorities is read again, the same as in client-go's transport.
const FRESH: Duration = Duration::from_mins(1);

const WHAT: &str = "the certificate authority";

impl Trust {
    /// Returns the trust settings in a cluster's entry, without reading files.
    ///
    /// # Errors
    /// If two of its settings exclude each other, as in client-go (`validateClusterInfo`, `TLSConfigFor`).
    pub(super) fn of(context: &str, entry: &ClusterEntry) -> Result<Self, Error> {
        let data = entry.certificate_authority_data.as_deref().filter(|data| !data.is_empty());
        let file = entry.certificate_authority.as_deref();
        if data.is_some() && file.is_some() {
            let both = "certificate-authority and certificate-authority-data are both given";
            return Err(wrong(context, WHAT, both.to_owned()));
        }
        let given = Pem::of(data, file);
        let server = entry.server.as_deref().and_then(Endpoint::read);
        let roots = match (server.is_some_and(|server| server.origin().is_secure()), given) {
            (false, _) => RootStore::Unused,
            (true, Some(_)) if entry.insecure_skip_tls_verify == Some(true) => {
                let both = "one is given together with insecure-skip-tls-verify, which excludes it";
                return Err(wrong(context, WHAT, both.to_owned()));
            }
            (true, None) if entry.insecure_skip_tls_verify == Some(true) => RootStore::Unverified,
            (true, Some(pem)) => RootStore::Given(pem),
            (true, None) => RootStore::System,
        };
        let server_name = entry.tls_server_name.as_deref().filter(|name| !name.is_empty());
        let server_name = server_name.map(|name| match ServerName::try_from(name.to_owned()) {
            Ok(parsed) => Ok((name.to_owned(), parsed)),
            Err(_) => Err(wrong(context, "tls-server-name", "it is not a valid server name".to_owned())),
        });
        let server_name = server_name.transpose()?;
        Ok(Self(Arc::new(Settings {
            context: context.to_owned(),
            roots,
            server_name,
            known: Mutex::default(),
        })))
    }

    /// Returns the source of the authorities.
    #[must_use]
    pub fn authority(&self) -> Authority {
        match &self.0.roots {
            RootStore::Given(pem) if pem.file().is_some() => Authority::File,
            RootStore::Given(_) => Authority::Data,
            RootStore::System => Authority::System,
            RootStore::Unverified | RootStore::Unused => Authority::None,
        }
    }

    /// Returns the name that the server's certificate must have, if it differs from its host
    /// (`tls-server-name`).
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.0.server_name.as_ref().map(|(name, _)| name.as_str())
    }

    /// Returns the same name for TLS.
    pub(crate) fn sni(&self) -> Option<&ServerName<'static>> {
        self.0.server_name.as_ref().map(|(_, name)| name)
    }

    /// Returns whether every server is trusted (`insecure-skip-tls-verify`).
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        matches!(self.0.roots, RootStore::Unverified)
    }

    /// Reads the authorities, as the first request will.
    ///
    /// # Errors
    /// If they cannot be read or are not valid.
    pub fn look(&self) -> Result<(), Error> {
        self.known(|_| Ok(()))
    }

    /// Returns the TLS configuration for the server and a client with this certificate. Reads the
    /// authorities, and returns the same configuration as long as neither they nor the certificate have
    /// changed.
    ///
    /// # Errors
    /// If the authorities cannot be read or are not valid.
    pub fn client_config(&self, certificate: Option<Arc<CertifiedKey>>) -> Result<Arc<ClientConfig>, Error> {
        self.known(|known| {
            if let Some((owner, config)) = &known.server
                && owner.as_ref().map(Arc::as_ptr) == certificate.as_ref().map(Arc::as_ptr)
            {
                return Ok(Arc::clone(config));
            }
            let verifier = Arc::clone(&known.verifier) as Arc<dyn ServerCertVerifier>;
            let config = self.configure(verifier, certificate.clone())?;
            known.server = Some((certificate, Arc::clone(&config)));
            Ok(config)
        })
    }

    /// Returns the TLS configuration for a proxy on the way to the server. The cluster's or this machine's
    /// authorities may vouch for it, and it gets no client certificate.
    ///
    /// # Errors
    /// The same as [`Trust::client_config`].
    pub(crate) fn proxy_config(&self) -> Result<Arc<ClientConfig>, Error> {
        self.known(|known| {
            if let Some(config) = &known.proxy {
                return Ok(Arc::clone(config));
            }
            let verifier = match &self.0.roots {
                RootStore::Given(_) => Arc::new(Verifier::of_proxy(Arc::clone(&known.verifier))),
                _ => Arc::clone(&known.verifier),
            };
            let config = self.configure(verifier, None)?;
            known.proxy = Some(Arc::clone(&config));
            Ok(config)
        })
    }

    /// Passes the authorities to `make`, after reading them if that was not done lately.
    fn known<T>(&self, make: impl FnOnce(&mut Known) -> Result<T, Error>) -> Result<T, Error> {
        // A panic leaves nothing half-changed in there.
        let known = &mut *self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known {
            Some(known) => {
                self.refresh(known);
                make(known)
            }
            None => make(known.insert(self.read()?)),
        }
    }

    /// Reads a file again that was not read lately. If that fails, the old contents still apply, as in
    /// client-go: the file may be in the middle of being replaced.
    fn refresh(&self, known: &mut Known) {
        let is_file = matches!(&self.0.roots, RootStore::Given(Pem::File(_)));
        if !is_file || known.read.elapsed() < FRESH {
            return;
        }
        known.read = Instant::now();
        if let Ok(newer) = self.read()
            && newer.pem != known.pem
        {
            *known = newer;
        }
    }

    fn read(&self) -> Result<Known, Error> {
        let (pem, verifier) = match &self.0.roots {
            RootStore::Given(pem) => {
                let pem = pem.read().map_err(|reason| self.wrong(WHAT, reason))?;
                let verifier = Verifier::given(&pem).map_err(|reason| self.wrong(WHAT, reason))?;
                (Some(pem), verifier)
            }
            // A proxy on the way to a plain HTTP server may be one that speaks TLS.
            RootStore::System | RootStore::Unused => {
                let wrong = |reason| self.wrong("the platform's certificate authorities", reason);
                (None, Verifier::system().map_err(wrong)?)
            }
            RootStore::Unverified => (None, Verifier::unverified()),
        };
        Ok(Known { read: Instant::now(), pem, verifier: Arc::new(verifier), server: None, proxy: None })
    }

    fn configure(
        &self,
        verifier: Arc<dyn ServerCertVerifier>,
        certificate: Option<Arc<CertifiedKey>>,
    ) -> Result<Arc<ClientConfig>, Error> {
        let builder = ClientConfig::builder_with_provider(verifier::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| self.wrong("the TLS settings", error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        // Not `with_client_auth_cert`: it parses the certificate and refuses X.509 v1, which plain
        // `openssl x509 -req` makes and which API servers take.
        Ok(Arc::new(match certificate {
            Some(key) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
            None => builder.with_no_client_auth(),
        }))
    }

    fn wrong(&self, what: &'static str, reason: String) -> Error {
        wrong(&self.0.context, what, reason)
    }
}

fn wrong(context: &str, what: &'static str, reason: String) -> Error {
    Error::Credential { what, owner: format!("context `{context}`"), reason }
}

#[cfg(test)]
mod tests;
