//! The auth-provider `oidc`, the only one left in client-go (plugin/pkg/client/auth/oidc): an identity token
//! that is refreshed when it has expired, and stored in the kubeconfig.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::super::document::AuthProviderEntry;
use super::super::secret::Secret;
use super::Error;
use super::jwt::Jwt;
use super::kept::{Kept, Turn};
use super::material::AuthMaterial;
use super::provider::{Authority, Endpoint, Provider};
use super::tokens::{Tokens, Unrefreshed, value};
use crate::environment::Environment;

/// The reason why the other auth-providers are not supported.
const GONE: &str = "it was taken out of client-go, and so out of kubectl";

/// A user's identity token, and how it is refreshed.
pub(super) struct Oidc {
    shared: Arc<Shared>,
}

struct Shared {
    user: String,
    provider: Provider,
    kept: Kept,
    /// The tokens, locked while they are refreshed, so that all others wait for the new ones.
    tokens: Arc<Mutex<Tokens>>,
    /// Cancelled at the end of the run: no refresh token is sent after that.
    over: CancellationToken,
    /// Held from when a refresh token is sent until its successor is stored.
    spending: Mutex<()>,
}

/// A refresh that is about to be sent.
struct Begun {
    _turn: Turn,
    refresh: Secret,
    endpoint: Endpoint,
}

impl Oidc {
    /// Returns the auth-provider of an entry in the kubeconfig `origin`, without sending requests.
    pub(super) fn of(
        user: &str,
        entry: &AuthProviderEntry,
        origin: &Path,
        environment: &Arc<Environment>,
    ) -> Result<Self, Error> {
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
                    Some("a credential plugin (exec) replaces it"),
                ));
            }
        }
        let text = |key: &str| value(entry, key).map(|text| text.reveal().to_owned());
        let authority =
            match (value(entry, "idp-certificate-authority-data"), text("idp-certificate-authority")) {
                (Some(data), _) => {
                    Some(STANDARD.decode(data.reveal()).map(Authority::Data).map_err(|_| {
                        failed("its idp-certificate-authority-data is not valid base64", None)
                    })?)
                }
                (None, file) => file.map(|file| Authority::File(PathBuf::from(file))),
            };
        let provider = Provider {
            issuer: text("idp-issuer-url").ok_or_else(|| failed("its idp-issuer-url is missing", None))?,
            client: text("client-id").ok_or_else(|| failed("its client-id is missing", None))?,
            secret: value(entry, "client-secret").unwrap_or_default(),
            authority,
            environment: Arc::clone(environment),
        };
        let shared = Shared {
            user: user.to_owned(),
            provider,
            kept: Kept::at(user, origin, environment),
            tokens: Arc::new(Mutex::new(Tokens::of(entry))),
            over: CancellationToken::new(),
            spending: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Stops sending refresh tokens from now on.
    pub(super) fn end(&self) {
        self.shared.over.cancel();
    }

    /// Waits, after the end, until the successor of a refresh token in flight is stored, or there is none.
    pub(super) async fn settled(&self) {
        drop(self.shared.spending.lock().await);
    }

    /// Returns the credential, after refreshing an expired identity token.
    pub(super) async fn current(&self) -> Result<Arc<AuthMaterial>, Error> {
        let mut tokens = Arc::clone(&self.shared.tokens).lock_owned().await;
        if let Some(material) = tokens.material().map_err(|why| self.shared.failed(why))? {
            return Ok(material);
        }
        let shared = Arc::clone(&self.shared);
        // Apart from who asked, who may give up. The end of the run, too, waits for it: `settled`.
        let run = tokio::spawn(async move {
            shared.refresh(&mut tokens).await?;
            let material = tokens.material()?;
            material
                .ok_or_else(|| Unrefreshed::from("the identity provider's new id-token has expired already"))
        });
        run.await.unwrap_or_else(|_| Err(ENDED.into())).map_err(|why| self.shared.failed(why))
    }
}

/// The error after the end of the run.
const ENDED: &str = "its id-token has expired, and was not refreshed before the run ended";

impl Shared {
    /// Gets new tokens: those that another process has received meanwhile, or else from the identity
    /// provider.
    async fn refresh(&self, tokens: &mut Tokens) -> Result<(), Unrefreshed> {
        let begun = tokio::select! {
            biased;
            () = self.over.cancelled() => return Err(ENDED.into()),
            begun = self.begin(tokens) => begun?,
        };
        let Some(Begun { _turn, refresh: old, endpoint }) = begun else { return Ok(()) };
        let _spending = self.spending.lock().await;
        // If the run has been ended by now, it must not wait for this refresh.
        if self.over.is_cancelled() {
            return Err(ENDED.into());
        }
        let given = self.provider.refresh(&endpoint, &old).await?;
        let id = given.id.map(Jwt::of).filter(Jwt::is_one);
        let new = given.refresh.unwrap_or_else(|| old.clone());
        let standing = tokens.spent.take().unwrap_or_else(|| old.clone());
        let kept = self.kept.write(&standing, id.as_ref(), &new).await;
        let lost = kept.err().filter(|_| new != standing);
        *tokens = Tokens {
            id: id.clone(),
            refresh: Some(new),
            spent: lost.is_some().then_some(standing),
            material: None,
        };
        // The next run needs the refresh token, so its loss is reported first.
        if let Some(why) = lost {
            return Err(Unrefreshed::for_good(format!(
                "the identity provider gave another refresh-token, which cannot be kept: {why}"
            )));
        }
        id.map(drop).ok_or_else(|| {
            "the identity provider gave no id_token: the scope openid was not requested at login, or it returns none on refresh"
                .into()
        })
    }

    /// Does everything that comes before a refresh token is sent. It can be cancelled at any time. Returns
    /// `None` if there is nothing left to refresh.
    async fn begin(&self, tokens: &mut Tokens) -> Result<Option<Begun>, Unrefreshed> {
        let turn = self.kept.turn().await?;
        tokens.adopt(self.kept.read()?);
        if tokens.valid()?.is_some() {
            return Ok(None);
        }
        let refresh = tokens.refresh.clone().ok_or_else(|| {
            Unrefreshed::for_good("its id-token has expired, and there is no refresh-token")
        })?;
        self.kept.try_out().await?;
        let endpoint = self.provider.endpoint().await?;
        Ok(Some(Begun { _turn: turn, refresh, endpoint }))
    }

    fn failed(&self, Unrefreshed { why, hint }: Unrefreshed) -> Error {
        Error::Provider { name: "oidc".to_owned(), user: self.user.clone(), why, hint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Explain;

    #[test]
    fn what_was_taken_out_says_what_to_use_instead() {
        for (name, hint) in [("gcp", "gke-gcloud-auth-plugin"), ("azure", "kubelogin"), ("own", "exec")] {
            let entry = AuthProviderEntry { name: name.to_owned(), config: None };
            let error = Oidc::of("u", &entry, Path::new(""), &Arc::default()).err().unwrap();
            assert!(error.hint().unwrap().contains(hint), "{name}");
        }
    }
}
