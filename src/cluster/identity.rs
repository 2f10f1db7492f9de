//! Who asks, and whom to believe: what TLS and HTTP need for one endpoint, read from files and PEM.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use http::HeaderValue;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, InconsistentKeys, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::BuilderVerifierExt;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::{Cluster, Error};

/// What is added to a request after it was permitted. Holds secrets, hence no `Debug`.
pub struct Identity {
    /// How TLS is spoken; `None` for a plain HTTP server, to which no credential is sent.
    tls: Option<ClientConfig>,
    authorization: Option<HeaderValue>,
    certificate: Option<Validity>,
}

/// Whose a client certificate is and when it holds, as seconds since 1970.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Validity {
    /// The user of the kubeconfig who owns it.
    pub user: String,
    /// Its subject, e.g. `O=dev, CN=alice`.
    pub subject: String,
    /// From when.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
}

impl Identity {
    /// How TLS is spoken with the endpoint; `None` for plain HTTP.
    #[must_use]
    pub fn tls(&self) -> Option<&ClientConfig> {
        self.tls.as_ref()
    }

    /// The value of the `authorization` header, if there is one to send.
    #[must_use]
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// The client certificate's owner and times, if there is a certificate.
    #[must_use]
    pub fn certificate(&self) -> Option<&Validity> {
        self.certificate.as_ref()
    }
}

impl Cluster {
    /// Reads the certificates, the key and the token of this context.
    ///
    /// To a plain HTTP server no credential is sent, as client-go does
    /// (clientcmd's `getUserIdentificationPartialConfig` is asked only for a TLS server).
    ///
    /// # Errors
    /// When a file cannot be read or is not what it should be.
    pub fn identity(&self) -> Result<Identity, Error> {
        if !self.endpoint().origin().is_secure() {
            return Ok(Identity { tls: None, authorization: None, certificate: None });
        }
        let key = self.client_certificate()?;
        let certificate = key.as_ref().and_then(|key| self.validity(key.cert.first()?));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| self.wrong("the TLS settings", error.to_string()))?;
        let builder = match self.roots()? {
            Some(roots) => builder.with_root_certificates(roots),
            None => builder
                .with_platform_verifier()
                .map_err(|error| self.wrong("the platform's certificate authorities", error.to_string()))?,
        };
        // Not `with_client_auth_cert`: it parses the certificate and refuses X.509 v1, which plain
        // `openssl x509 -req` makes and which API servers take.
        let tls = match key {
            Some(key) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
            None => builder.with_no_client_auth(),
        };
        Ok(Identity { tls: Some(tls), authorization: self.bearer()?, certificate })
    }

    /// The authorities of the kubeconfig; `None` where it names none, and the platform's hold.
    fn roots(&self) -> Result<Option<RootCertStore>, Error> {
        let data = self.entry.certificate_authority_data.as_deref();
        let Some(pem) =
            self.pem("the certificate authority", data, self.entry.certificate_authority.as_deref())?
        else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate =
                certificate.map_err(|error| self.wrong("the certificate authority", error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| self.wrong("the certificate authority", error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(self.wrong("the certificate authority", "it holds no certificate".to_owned()));
        }
        Ok(Some(roots))
    }

    fn client_certificate(&self) -> Result<Option<CertifiedKey>, Error> {
        let user = &self.user;
        let chain_pem = self.pem(
            "the client certificate",
            user.client_certificate_data.as_deref(),
            user.client_certificate.as_deref(),
        )?;
        let key_data = user.client_key_data.as_ref().map(super::secret::Secret::reveal);
        let key_pem = self.pem("the client key", key_data, user.client_key.as_deref())?;
        let (chain_pem, key_pem) = match (chain_pem, key_pem) {
            (None, None) => return Ok(None),
            (Some(chain), Some(key)) => (chain, key),
            (Some(_), None) => {
                return Err(self.wrong("the client certificate", "its key is missing".to_owned()));
            }
            (None, Some(_)) => {
                return Err(self.wrong("the client key", "its certificate is missing".to_owned()));
            }
        };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain_pem).collect();
        let chain = chain.map_err(|error| self.wrong("the client certificate", error.to_string()))?;
        if chain.is_empty() {
            return Err(self.wrong("the client certificate", "it holds no certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&key_pem)
            .map_err(|error| self.wrong("the client key", error.to_string()))?;
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)
            .map_err(|error| self.wrong("the client key", error.to_string()))?;
        let key = CertifiedKey::new(chain, key);
        match key.keys_match() {
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                Err(self.wrong("the client key", "it is not the key of the client certificate".to_owned()))
            }
            // What webpki cannot read, X.509 v1 for one, the server judges.
            _ => Ok(Some(key)),
        }
    }

    fn validity(&self, certificate: &CertificateDer<'_>) -> Option<Validity> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        Some(Validity {
            user: self.user_name.clone(),
            subject: certificate.subject().to_string(),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
        })
    }

    /// The bearer token: that of the file, which is newer wherever both are given, else the one in the kubeconfig.
    fn bearer(&self) -> Result<Option<HeaderValue>, Error> {
        let from_file = match &self.user.token_file {
            None => None,
            Some(path) => {
                let text = fs::read_to_string(path)
                    .map_err(|error| self.wrong("the token", unread(path, &error)))?;
                Some(Zeroizing::new(text))
            }
        };
        let token = match (&from_file, &self.user.token) {
            (Some(text), _) => text.trim(),
            (None, Some(token)) => token.reveal(),
            (None, None) => "",
        };
        if token.is_empty() {
            // To go on without would be to ask as nobody, which some servers answer.
            return match from_file {
                Some(_) => Err(self.wrong("the token", "its file is empty".to_owned())),
                None => Ok(None),
            };
        }
        let text = Zeroizing::new(format!("Bearer {token}"));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| self.wrong("the token", "it has characters that no header may have".to_owned()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// PEM text from base64 data, else from a file, as client-go prefers them.
    fn pem(
        &self,
        what: &'static str,
        data: Option<&str>,
        file: Option<&Path>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        if let Some(data) = data.filter(|data| !data.is_empty()) {
            let clean = Zeroizing::new(data.split_ascii_whitespace().collect::<String>());
            let pem = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, clean.as_bytes());
            return pem
                .map(|pem| Some(Zeroizing::new(pem)))
                .map_err(|_| self.wrong(what, "it is no base64".to_owned()));
        }
        let Some(path) = file else { return Ok(None) };
        let pem = fs::read(path).map_err(|error| self.wrong(what, unread(path, &error)))?;
        Ok(Some(Zeroizing::new(pem)))
    }

    fn wrong(&self, what: &'static str, reason: String) -> Error {
        let owner = match what {
            "the client certificate" | "the client key" | "the token" => format!("user `{}`", self.user_name),
            _ => format!("context `{}`", self.context),
        };
        Error::Credential { what, owner, reason }
    }
}

fn unread(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
