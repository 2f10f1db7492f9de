//! Whom to believe that it is the API server: the authorities of a cluster, and the name that its certificate must have.

use std::sync::Arc;

use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use rustls_platform_verifier::BuilderVerifierExt;

use super::document::ClusterEntry;
use super::pem::Pem;
use super::Error;

/// What makes a server one's own.
#[derive(Clone)]
pub struct Trust {
    context: String,
    authority: Authority,
    server_name: Option<String>,
}

/// Who vouches for a server.
#[derive(Clone)]
enum Authority {
    /// The kubeconfig's own.
    Given(Pem),
    /// Those of this machine.
    System,
}

impl Trust {
    /// What the cluster's entry says of its server.
    pub(super) fn of(context: &str, entry: &ClusterEntry) -> Self {
        let pem = Pem::of(entry.certificate_authority_data.as_deref(), entry.certificate_authority.as_deref());
        Self {
            context: context.to_owned(),
            authority: pem.map_or(Authority::System, Authority::Given),
            server_name: entry.tls_server_name.clone().filter(|name| !name.is_empty()),
        }
    }

    /// How TLS is spoken with the server by one who has this certificate. Reads the authorities.
    ///
    /// # Errors
    /// When the authorities cannot be read, or are none.
    pub fn client_config(&self, certificate: Option<Arc<CertifiedKey>>) -> Result<Arc<ClientConfig>, Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| self.wrong("the TLS settings", error.to_string()))?;
        let builder = match &self.authority {
            Authority::Given(pem) => builder.with_root_certificates(self.roots(pem)?),
            Authority::System => builder
                .with_platform_verifier()
                .map_err(|error| self.wrong("the platform's certificate authorities", error.to_string()))?,
        };
        // Not `with_client_auth_cert`: it parses the certificate and refuses X.509 v1, which plain
        // `openssl x509 -req` makes and which API servers take.
        Ok(Arc::new(match certificate {
            Some(key) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
            None => builder.with_no_client_auth(),
        }))
    }

    /// The name that the server's certificate must have, where it is another than its host.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    fn roots(&self, pem: &Pem) -> Result<RootCertStore, Error> {
        const WHAT: &str = "the certificate authority";
        let pem = pem.read().map_err(|reason| self.wrong(WHAT, reason))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| self.wrong(WHAT, error.to_string()))?;
            roots.add(certificate).map_err(|error| self.wrong(WHAT, error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(self.wrong(WHAT, "it holds no certificate".to_owned()));
        }
        Ok(roots)
    }

    fn wrong(&self, what: &'static str, reason: String) -> Error {
        Error::Credential { what, owner: format!("context `{}`", self.context), reason }
    }
}
