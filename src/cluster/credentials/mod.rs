//! Credentials: how a user's entry in a kubeconfig authenticates a request, and how it is renewed.
//!
//! The precedence among several kinds is client-go's: a token, a token file or basic authentication take
//! precedence over a credential plugin and an auth-provider, and a client certificate over a plugin.

mod answer;
mod certificate;
mod error;
mod exec;
mod exec_cluster;
mod jwt;
mod kept;
mod key;
mod kuberc;
mod lookup;
mod material;
mod oidc;
mod plugin;
mod provider;
mod rewrite;
mod token;
mod tokens;

use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use rustls::sign::CertifiedKey;
use serde::Serialize;

use self::certificate::{Certificate, Pair};
use self::error::wrong;
use self::exec::Exec;
use self::material::AuthMaterial;
use self::oidc::Oidc;
use self::token::TokenFile;
use super::document::UserEntry;
use crate::environment::Environment;

pub use self::certificate::Validity;
pub use self::error::Error;
pub use self::exec_cluster::ExecCluster;

/// The credentials of one user. Nothing is read, run or requested before the first use.
pub struct Credentials {
    authentication: Authentication,
    pair: Option<Pair>,
    source: Source,
    last: Mutex<Option<Arc<Credential>>>,
}

/// The kind of authentication that is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Authentication {
    /// A client certificate.
    ClientCertificate,
    /// A bearer token in the kubeconfig.
    Token,
    /// A bearer token in a file of its own.
    TokenFile,
    /// A user name and a password.
    Basic,
    /// The output of a credential plugin.
    Exec,
    /// The auth-provider `oidc`.
    Oidc,
    /// No authentication.
    None,
}

/// The source of all credentials but the kubeconfig's own client certificate.
enum Source {
    /// The credential is in the kubeconfig, or there is none.
    Settled(Arc<AuthMaterial>),
    TokenFile(TokenFile),
    Exec(Box<Exec>),
    Oidc(Box<Oidc>),
}

/// The credential of one request. Contains secrets, hence no `Debug`.
pub struct Credential {
    material: Arc<AuthMaterial>,
    certificate: Option<Arc<Certificate>>,
}

impl Credential {
    /// Returns the value of the `authorization` header, if one is to be sent.
    #[must_use]
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.material.authorization.as_ref()
    }

    /// Returns the client certificate and its key, if there are any. Its address stays the same as long as
    /// its content does.
    #[must_use]
    pub fn certificate(&self) -> Option<&Arc<CertifiedKey>> {
        self.certificate.as_ref().map(|certificate| certificate.key())
    }

    /// Returns the owner and validity of the client certificate.
    #[must_use]
    pub fn validity(&self) -> Option<&Validity> {
        self.certificate.as_ref()?.validity()
    }

    /// Returns whether a server could not distinguish the two.
    fn equals(&self, other: &Self) -> bool {
        self.authorization() == other.authorization()
            && same(self.certificate.as_ref(), other.certificate.as_ref())
    }
}

impl Credentials {
    /// Returns the credentials of a user. `cluster` is the information for a credential plugin.
    ///
    /// # Errors
    /// If the entry is one that client-go does not accept either.
    pub(super) fn of(
        user: &str,
        entry: &UserEntry,
        cluster: ExecCluster,
        environment: &Arc<Environment>,
    ) -> Result<Self, Error> {
        let filled = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        let password = entry.password.clone().unwrap_or_default();
        let token = entry.token.clone().filter(|token| !token.is_empty());
        let named = filled(entry.username.as_deref());
        if (named || !password.is_empty()) && (token.is_some() || (named && entry.token_file.is_some())) {
            return Err(Error::Methods { user: user.to_owned() });
        }
        if entry.exec.is_some() && entry.auth_provider.is_some() {
            return Err(wrong(user, "the credentials", "exec and auth-provider exclude each other"));
        }
        let pair = Pair::of(user, entry)?;
        // Both are checked even if another method takes precedence: client-go refuses their errors all the
        // same.
        let exec = entry.exec.as_ref().map(|exec| Exec::of(user, exec, cluster, environment)).transpose()?;
        let oidc = entry.auth_provider.as_ref();
        let oidc = oidc.map(|oidc| Oidc::of(user, oidc, &entry.origin, environment)).transpose()?;
        let settled =
            |authorization| Source::Settled(Arc::new(AuthMaterial { authorization, certificate: None }));
        let (authentication, source) = match (token, &entry.token_file, exec, oidc) {
            (token, Some(path), ..) => {
                (Authentication::TokenFile, Source::TokenFile(TokenFile::of(user, path, token)?))
            }
            (Some(token), ..) => (Authentication::Token, settled(Some(token::bearer(user, token.reveal())?))),
            _ if named => {
                let name = entry.username.as_deref().unwrap_or_default();
                (Authentication::Basic, settled(Some(token::basic(user, name, password.reveal())?)))
            }
            (.., Some(exec), _) if pair.is_none() => (Authentication::Exec, Source::Exec(Box::new(exec))),
            (.., Some(oidc)) => (Authentication::Oidc, Source::Oidc(Box::new(oidc))),
            _ if pair.is_some() => (Authentication::ClientCertificate, settled(None)),
            _ => {
                half(user, entry)?;
                (Authentication::None, settled(None))
            }
        };
        Ok(Self { authentication, pair, source, last: Mutex::new(None) })
    }

    /// Returns the kind of authentication. With a client certificate and a token, a server considers the
    /// certificate first, but this is the token, which is sent with each request.
    #[must_use]
    pub fn authentication(&self) -> Authentication {
        self.authentication
    }

    /// Returns the credential to use now: the same as before as long as nothing has changed.
    ///
    /// # Errors
    /// If a file cannot be read or is not valid, or if a credential plugin or an identity provider fails.
    pub async fn current(&self) -> Result<Arc<Credential>, Error> {
        let material = self.source.current().await?;
        let certificate = self.pair.as_ref().map(Pair::current).transpose()?;
        Ok(self.together(material, certificate))
    }

    /// Returns the credential after the server refused `refused`, or `None` if there is no newer one. If it
    /// was renewed meanwhile, that one is returned.
    ///
    /// # Errors
    /// The same as [`Credentials::current`].
    pub async fn renewed(&self, refused: &Credential) -> Result<Option<Arc<Credential>>, Error> {
        let material = self.source.renewed(&refused.material).await?;
        let certificate = self.pair.as_ref().map(Pair::renewed).transpose()?;
        let newer = self.together(material, certificate);
        Ok((!newer.equals(refused)).then_some(newer))
    }

    /// Returns the validity of the kubeconfig's own client certificate, if it has one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn stated_certificate(&self) -> Result<Option<Validity>, Error> {
        let certificate = self.pair.as_ref().map(Pair::current).transpose()?;
        Ok(certificate.and_then(|certificate| certificate.validity().cloned()))
    }

    /// Reads everything that the kubeconfig names, and finds the credential plugin, without running it or
    /// sending requests. Returns the validity of the kubeconfig's own client certificate.
    ///
    /// # Errors
    /// The error with which the first request would fail.
    pub fn look(&self) -> Result<Option<Validity>, Error> {
        match &self.source {
            Source::TokenFile(file) => drop(file.current()?),
            Source::Exec(exec) => exec.look()?,
            Source::Settled(_) | Source::Oidc(_) => {}
        }
        self.stated_certificate()
    }

    /// Returns whether there may be newer credentials than refused ones.
    #[must_use]
    pub fn is_renewable(&self) -> bool {
        matches!(self.source, Source::TokenFile(_) | Source::Exec(_))
            || self.pair.as_ref().is_some_and(Pair::is_in_files)
    }

    /// Ends everything that is still running for them, except what [`Credentials::settled`] waits for.
    pub fn end(&self) {
        match &self.source {
            Source::Exec(exec) => exec.end(),
            Source::Oidc(oidc) => oidc.end(),
            Source::Settled(_) | Source::TokenFile(_) => {}
        }
    }

    /// Waits, after the end, until no refresh token is in flight any more.
    pub async fn settled(&self) {
        if let Source::Oidc(oidc) = &self.source {
            oidc.settled().await;
        }
    }

    fn together(&self, material: Arc<AuthMaterial>, own: Option<Arc<Certificate>>) -> Arc<Credential> {
        let certificate = own.or_else(|| material.certificate.clone());
        // It is replaced as a whole.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref() {
            Some(last)
                if Arc::ptr_eq(&last.material, &material)
                    && same(last.certificate.as_ref(), certificate.as_ref()) =>
            {
                Arc::clone(last)
            }
            _ => Arc::clone(last.insert(Arc::new(Credential { material, certificate }))),
        }
    }
}

impl Source {
    async fn current(&self) -> Result<Arc<AuthMaterial>, Error> {
        match self {
            Self::Settled(material) => Ok(Arc::clone(material)),
            Self::TokenFile(file) => file.current(),
            Self::Exec(exec) => exec.current().await,
            Self::Oidc(oidc) => oidc.current().await,
        }
    }

    async fn renewed(&self, refused: &Arc<AuthMaterial>) -> Result<Arc<AuthMaterial>, Error> {
        match self {
            Self::TokenFile(file) => file.renewed(),
            Self::Exec(exec) => exec.renewed(refused).await,
            _ => Ok(Arc::clone(refused)),
        }
    }
}

/// Refuses half of an authentication method, which client-go ignores, so that kubectl prompts for a name and
/// a password. It is only an error if there is no other method, since an anonymous request would explain
/// less.
fn half(user: &str, entry: &UserEntry) -> Result<(), Error> {
    if entry.password.as_ref().is_some_and(|password| !password.is_empty()) {
        return Err(wrong(user, "the password", "its username is missing"));
    }
    let key = entry.client_key_data.as_ref().is_some_and(|key| !key.is_empty()) || entry.client_key.is_some();
    if key { Err(wrong(user, "the client key", "its certificate is missing")) } else { Ok(()) }
}

fn same(one: Option<&Arc<Certificate>>, other: Option<&Arc<Certificate>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}
