//! The auth-provider `oidc`, the one that is left in client-go (plugin/pkg/client/auth/oidc): an identity token that is
//! refreshed when it has expired, and kept in the kubeconfig.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::super::document::AuthProviderEntry;
use super::super::secret::Secret;
use super::kept::Kept;
use super::provider::Provider;
use super::{Error, Said, token};

/// How long before its end a token counts as expired, as in client-go: clocks differ.
const EARLY: Duration = Duration::from_secs(10);

/// What became of the other auth-providers.
const GONE: &str = "it was taken out of client-go, and so out of kubectl";

/// How a user's identity token is had.
pub(super) struct Oidc {
    shared: Arc<Shared>,
}

struct Shared {
    user: String,
    provider: Provider,
    kept: Kept,
    /// Held while they are refreshed: all others wait for the new ones.
    tokens: Arc<Mutex<Tokens>>,
}

/// What the user has from the identity provider.
#[derive(Clone, Default)]
pub(super) struct Tokens {
    pub(super) id: Option<Secret>,
    pub(super) refresh: Option<Secret>,
    pub(super) said: Option<Arc<Said>>,
}

impl Tokens {
    /// Those of an entry.
    pub(super) fn of(entry: &AuthProviderEntry) -> Self {
        Self { id: value(entry, "id-token"), refresh: value(entry, "refresh-token"), said: None }
    }

    pub(super) fn new(id: Secret, refresh: Option<Secret>) -> Self {
        Self { id: Some(id), refresh, said: None }
    }

    /// The identity token, if it holds still.
    fn valid(&self) -> Result<Option<&Secret>, String> {
        let Some(id) = &self.id else { return Ok(None) };
        let expires = expiry(id.reveal()).ok_or("its id-token is no JWT")?;
        Ok((SystemTime::now() + EARLY < expires).then_some(id))
    }

    /// What is sent with it. Has the same address for as long as it is the same.
    fn said(&mut self) -> Result<Option<Arc<Said>>, String> {
        let Some(id) = self.valid()? else { return Ok(None) };
        let authorization = token::header("Bearer", id.reveal()).ok_or(token::UNFIT)?;
        let said = || Arc::new(Said { authorization: Some(authorization), certificate: None });
        Ok(Some(Arc::clone(self.said.get_or_insert_with(said))))
    }
}

impl Oidc {
    /// That of an entry in the kubeconfig `origin`. Asks nobody.
    pub(super) fn of(user: &str, entry: &AuthProviderEntry, origin: &Path) -> Result<Self, Error> {
        let failed = |why: &str, hint: Option<&str>| Error::Provider {
            name: entry.name.clone(),
            user: user.to_owned(),
            why: why.to_owned(),
            hint: hint.map(str::to_owned),
        };
        match entry.name.as_str() {
            "oidc" => {}
            "gcp" => {
                return Err(failed(
                    GONE,
                    Some(
                        "install gke-gcloud-auth-plugin, then: gcloud container clusters get-credentials CLUSTER",
                    ),
                ));
            }
            "azure" => {
                return Err(failed(GONE, Some("install kubelogin, then: kubelogin convert-kubeconfig")));
            }
            _ => {
                return Err(failed(
                    "there is no such auth-provider",
                    Some("a credential plugin (exec) takes its place"),
                ));
            }
        }
        let text = |key: &str| value(entry, key).map(|text| text.reveal().to_owned());
        let authority =
            match (value(entry, "idp-certificate-authority-data"), text("idp-certificate-authority")) {
                (Some(data), _) => Some(
                    STANDARD
                        .decode(data.reveal())
                        .map(Authority::Data)
                        .map_err(|_| failed("its idp-certificate-authority-data is no base64", None))?,
                ),
                (None, file) => file.map(|file| Authority::File(PathBuf::from(file))),
            };
        let provider = Provider {
            issuer: text("idp-issuer-url").ok_or_else(|| failed("its idp-issuer-url is missing", None))?,
            client: text("client-id").ok_or_else(|| failed("its client-id is missing", None))?,
            secret: value(entry, "client-secret").unwrap_or_default(),
            authority,
        };
        let shared = Shared {
            user: user.to_owned(),
            provider,
            kept: Kept::at(user, origin),
            tokens: Arc::new(Mutex::new(Tokens::of(entry))),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Leaves the kubeconfig as others may have it.
    pub(super) fn end(&self) {
        self.shared.kept.unlock();
    }

    /// What the identity token says, which is refreshed first if it has expired.
    pub(super) async fn current(&self) -> Result<Arc<Said>, Error> {
        let mut tokens = Arc::clone(&self.shared.tokens).lock_owned().await;
        if let Some(said) = tokens.said().map_err(|why| self.shared.failed(why))? {
            return Ok(said);
        }
        let shared = Arc::clone(&self.shared);
        // Apart from who asked: a token that was refreshed and not kept may be the last.
        let run = tokio::spawn(async move {
            *tokens = shared.refreshed(&tokens).await?;
            tokens
                .said()?
                .ok_or_else(|| "the identity provider's new id-token has expired already".to_owned())
        });
        run.await.unwrap_or_else(|_| Err("it was ended".to_owned())).map_err(|why| self.shared.failed(why))
    }
}

/// Who vouches for an identity provider.
pub(super) enum Authority {
    Data(Vec<u8>),
    File(PathBuf),
}

impl Shared {
    /// New tokens: those that somebody else was given meanwhile, else those that the identity provider gives now.
    ///
    /// The kubeconfig is locked first: of several processes that were to use one refresh token each, all but one would be
    /// locked out where it can be used once.
    async fn refreshed(&self, old: &Tokens) -> Result<Tokens, String> {
        let lock = self.kept.lock().await?;
        let kept = self.kept.read()?;
        let newest = kept.as_ref().unwrap_or(old);
        if newest.valid()?.is_some() {
            return Ok(newest.clone());
        }
        let refresh =
            newest.refresh.as_ref().ok_or("its id-token has expired, and there is no refresh-token")?;
        let answer = self.provider.refresh(refresh).await?;
        let new = Tokens::new(answer.id, answer.refresh.or_else(|| Some(refresh.clone())));
        self.kept.write(newest, &new)?;
        drop(lock);
        Ok(new)
    }

    fn failed(&self, why: String) -> Error {
        let hint = Some("log in again by what made this kubeconfig".to_owned());
        Error::Provider { name: "oidc".to_owned(), user: self.user.clone(), why, hint }
    }
}

/// A value of an entry's configuration that is there and not empty.
fn value(entry: &AuthProviderEntry, key: &str) -> Option<Secret> {
    entry.config.as_ref()?.get(key)?.clone().filter(|value| !value.is_empty())
}

/// When a JWT says that it expires; the beginning of time where it says nothing. `None` when it is none.
fn expiry(token: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default)]
        exp: f64,
    }
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let since = Duration::try_from_secs_f64(claims.exp.max(0.0).trunc()).ok()?;
    UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_expires_when_it_says_so() {
        let jwt = |claims: &str| format!("x.{}.y", URL_SAFE_NO_PAD.encode(claims));
        let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        for (token, expires) in [
            (jwt(r#"{"exp":1700000000}"#), at(1_700_000_000)),
            (jwt(r#"{"exp":1700000000.9}"#), at(1_700_000_000)),
            (jwt(r#"{"iss":"x"}"#), at(0)),
            (jwt(r#"{"exp":"soon"}"#), None),
            (jwt("x"), None),
            ("x.e30".to_owned(), None),
            ("x.e30.y.z".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(expiry(&token), expires, "{token}");
        }
    }

    #[test]
    fn what_was_taken_out_says_what_to_use_instead() {
        for (name, hint) in [("gcp", "gke-gcloud-auth-plugin"), ("azure", "kubelogin"), ("own", "exec")] {
            let entry = AuthProviderEntry { name: name.to_owned(), config: None };
            let error = Oidc::of("u", &entry, Path::new("")).err().unwrap();
            assert!(error.hint().unwrap().contains(hint), "{name}");
        }
    }
}
