//! The token endpoint, and what its tokens are good for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::answer::Answer;
use crate::access::Login;

/// The users to whom the token endpoint issues tokens, and what these allow.
#[derive(Clone, Debug)]
#[must_use = "a registry asks for tokens once it has these: WrongBuilder::tokens"]
pub struct Tokens {
    pub(crate) login: Option<Login>,
    /// A login is refused, whose-ever it is.
    no_logins: bool,
    uses: Option<u32>,
}

impl Tokens {
    /// Issues tokens to everyone.
    pub fn anonymous() -> Self {
        Self { login: None, no_logins: false, uses: None }
    }

    /// Issues tokens to everyone without a login. An unknown or expired login is refused, as by public
    /// registries.
    pub fn public() -> Self {
        Self { no_logins: true, ..Self::anonymous() }
    }

    /// Issues tokens to users with this name and password, by basic authentication or in a form
    /// (`grant_type=password`).
    pub fn for_user(user: &str, password: &str) -> Self {
        Self {
            login: Some(Login::Password { user: user.to_owned(), password: password.to_owned() }),
            ..Self::anonymous()
        }
    }

    /// Issues tokens in exchange for this identity token in a form (`grant_type=refresh_token`).
    pub fn for_identity(token: &str) -> Self {
        Self { login: Some(Login::Identity(token.to_owned())), ..Self::anonymous() }
    }

    /// Makes each token valid for this many requests, after which the registry requires another one.
    pub fn good_for(mut self, requests: u32) -> Self {
        self.uses = Some(requests);
        self
    }
}

/// Issues tokens, and recognises them.
pub(crate) struct Issuer {
    tokens: Tokens,
    issued: Mutex<HashMap<String, Issued>>,
}

struct Issued {
    /// Repositories, each with what may be done there.
    scopes: Vec<(String, String)>,
    left: Option<u32>,
}

impl Issuer {
    pub(crate) fn new(tokens: Tokens) -> Self {
        Self { tokens, issued: Mutex::default() }
    }

    /// Returns the answer of the token endpoint to a query, or to a form.
    pub(crate) fn issue(
        &self,
        is_form: bool,
        fields: &[(String, String)],
        authorization: Option<&str>,
    ) -> Answer {
        let field =
            |name: &str| fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        let proved = match &self.tokens.login {
            None => !self.tokens.no_logins || (!is_form && authorization.is_none()),
            Some(Login::Password { user, password }) if is_form => {
                field("grant_type") == Some("password")
                    && field("username") == Some(user)
                    && field("password") == Some(password)
            }
            Some(Login::Password { user, password }) => is_basic(authorization, user, password),
            Some(Login::Identity(token)) => {
                is_form
                    && field("grant_type") == Some("refresh_token")
                    && field("refresh_token") == Some(token)
            }
        };
        if !proved {
            return Answer::error(401, "UNAUTHORIZED", "the token endpoint does not know you");
        }
        let scopes =
            fields.iter().filter(|(name, _)| name == "scope").flat_map(|(_, value)| value.split(' '));
        let scopes = scopes.filter_map(|scope| scope.strip_prefix("repository:")?.rsplit_once(':'));
        let scopes = scopes.map(|(repository, actions)| (repository.to_owned(), actions.to_owned()));
        let issued = Issued { scopes: scopes.collect(), left: self.tokens.uses };
        let mut all = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let token = format!("token-{}", all.len() + 1);
        all.insert(token.clone(), issued);
        // Each way has its own name for it.
        let name = if is_form { "access_token" } else { "token" };
        Answer::json(200, &json!({name: token, "expires_in": 300}))
    }

    /// Checks that `action` is allowed in `repository`. Otherwise returns the error of RFC 6750.
    pub(crate) fn admit(
        &self,
        authorization: Option<&str>,
        repository: Option<&str>,
        action: &str,
    ) -> Result<(), Option<&'static str>> {
        let token = authorization.and_then(|value| value.strip_prefix("Bearer ")).ok_or(None)?;
        let mut all = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = all.get_mut(token).ok_or(Some("invalid_token"))?;
        let covers = |wanted: &str| {
            let mut scopes = issued.scopes.iter().filter(|(repository, _)| repository == wanted);
            scopes.any(|(_, actions)| actions.split(',').any(|covered| covered == action))
        };
        if repository.is_some_and(|wanted| !covers(wanted)) {
            return Err(Some("insufficient_scope"));
        }
        match &mut issued.left {
            Some(0) => Err(Some("invalid_token")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Returns whether a header is this user's basic authentication.
pub(crate) fn is_basic(authorization: Option<&str>, user: &str, password: &str) -> bool {
    let encoded = authorization.and_then(|value| value.strip_prefix("Basic "));
    encoded.is_some_and(|encoded| encoded == STANDARD.encode(format!("{user}:{password}")))
}
