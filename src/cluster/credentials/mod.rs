//! Who asks: what a user's entry in a kubeconfig makes of a request, and how that is had anew.

mod certificate;
mod token;

use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderValue;
use rustls::sign::CertifiedKey;

pub use self::certificate::Validity;
use super::Error;
use super::document::UserEntry;
use super::pem::Pem;
use super::secret::Secret;
use crate::cli::Environment;

/// How one user comes by what it is known by. Reads nothing until it is asked.
pub struct Credentials {
    user: String,
    /// A client certificate and its key.
    pair: Option<(Pem, Pem)>,
    token: Option<Secret>,
    token_file: Option<PathBuf>,
}

/// What one request is known by. Holds secrets, hence no `Debug`.
#[derive(Default)]
pub struct Credential {
    authorization: Option<HeaderValue>,
    certificate: Option<Arc<CertifiedKey>>,
    validity: Option<Validity>,
}

impl Credential {
    /// The value of the `authorization` header, if there is one to send.
    #[must_use]
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// The client certificate and its key, if there are any.
    #[must_use]
    pub fn certificate(&self) -> Option<&Arc<CertifiedKey>> {
        self.certificate.as_ref()
    }

    /// Whose the client certificate is and when it holds.
    #[must_use]
    pub fn validity(&self) -> Option<&Validity> {
        self.validity.as_ref()
    }
}

impl Credentials {
    /// Those of a user. Nothing is read and nothing is run yet.
    ///
    /// # Errors
    /// When the entry is none that can be followed.
    pub(super) fn of(user: &str, entry: &UserEntry, environment: &Environment) -> Result<Self, Error> {
        // The environment is a credential plugin's.
        let _ = environment;
        let key = entry.client_key_data.as_ref().map(Secret::reveal);
        let certificate =
            Pem::of(entry.client_certificate_data.as_deref(), entry.client_certificate.as_deref());
        let pair = match (certificate, Pem::of(key, entry.client_key.as_deref())) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => {
                return Err(wrong(user, "the client certificate", "its key is missing".to_owned()));
            }
            (None, Some(_)) => {
                return Err(wrong(user, "the client key", "its certificate is missing".to_owned()));
            }
        };
        Ok(Self {
            user: user.to_owned(),
            pair,
            token: entry.token.clone().filter(|token| !token.is_empty()),
            token_file: entry.token_file.clone(),
        })
    }

    /// What a request is known by now.
    ///
    /// # Errors
    /// When a file cannot be read or is not what it should be.
    pub async fn current(&self) -> Result<Arc<Credential>, Error> {
        let (certificate, validity) = match &self.pair {
            Some((certificate, key)) => certificate::read(&self.user, certificate, key)?,
            None => (None, None),
        };
        let authorization = token::bearer(&self.user, self.token.as_ref(), self.token_file.as_deref())?;
        Ok(Arc::new(Credential { authorization, certificate, validity }))
    }

    /// What a request is known by after the server did not accept `refused`; `None` where there is nothing newer.
    ///
    /// # Errors
    /// As [`Credentials::current`].
    pub async fn renewed(&self, refused: &Arc<Credential>) -> Result<Option<Arc<Credential>>, Error> {
        let _ = refused;
        Ok(None)
    }

    /// Whether there may be newer ones than those that were refused.
    #[must_use]
    pub fn is_renewable(&self) -> bool {
        false
    }
}

/// What is wrong with what the user of this name has.
fn wrong(user: &str, what: &'static str, reason: String) -> Error {
    Error::Credential { what, owner: format!("user `{user}`"), reason }
}
