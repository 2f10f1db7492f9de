//! The tokens of a user from an identity provider, and the reason why there are no newer ones.

use std::sync::Arc;

use super::super::document::AuthProviderEntry;
use super::super::secret::Secret;
use super::jwt::Jwt;
use super::material::AuthMaterial;
use super::token;

/// The user's tokens from the identity provider.
#[derive(Clone, Default)]
pub(super) struct Tokens {
    pub(super) id: Option<Jwt>,
    pub(super) refresh: Option<Secret>,
    /// A refresh token that was sent but is still in the kubeconfig, since its successor could not be stored.
    pub(super) spent: Option<Secret>,
    pub(super) material: Option<Arc<AuthMaterial>>,
}

/// The reason why there is no new identity token.
#[derive(Debug)]
pub(super) struct Unrefreshed {
    pub(super) why: String,
    /// A hint.
    pub(super) hint: Option<String>,
}

impl Unrefreshed {
    /// Returns an error that only another login solves.
    pub(super) fn for_good(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            hint: Some("log in again with the tool that created this kubeconfig".to_owned()),
        }
    }
}

impl From<String> for Unrefreshed {
    fn from(why: String) -> Self {
        Self { why, hint: None }
    }
}

impl From<&str> for Unrefreshed {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

impl Tokens {
    /// Returns the tokens of an entry.
    pub(super) fn of(entry: &AuthProviderEntry) -> Self {
        let id = value(entry, "id-token").map(Jwt::of);
        Self { id, refresh: value(entry, "refresh-token"), ..Self::default() }
    }

    /// Returns the identity token, if it is still valid.
    pub(super) fn valid(&self) -> Result<Option<&Jwt>, Unrefreshed> {
        let Some(id) = &self.id else { return Ok(None) };
        Ok(id.holds().ok_or("its id-token is not a JWT")?.then_some(id))
    }

    /// Returns the credential. Its address stays the same as long as its content does.
    pub(super) fn material(&mut self) -> Result<Option<Arc<AuthMaterial>>, Unrefreshed> {
        let Some(id) = self.valid()? else { return Ok(None) };
        if let Some(material) = &self.material {
            return Ok(Some(Arc::clone(material)));
        }
        let authorization = token::header("Bearer", id.reveal()).ok_or(token::UNFIT)?;
        let material = Arc::new(AuthMaterial { authorization: Some(authorization), certificate: None });
        Ok(Some(Arc::clone(self.material.insert(material))))
    }

    /// Adopts tokens that another process has stored, unless they are older than these.
    pub(super) fn adopt(&mut self, kept: Option<Self>) {
        if let Some(kept) = kept.filter(|kept| self.spent.is_none() || kept.refresh != self.spent) {
            *self = kept;
        }
    }
}

/// Returns a value of an entry's configuration that is set and not empty.
pub(super) fn value(entry: &AuthProviderEntry, key: &str) -> Option<Secret> {
    entry.config.as_ref()?.get(key)?.clone().filter(|value| !value.is_empty())
}
