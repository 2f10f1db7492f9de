//! Identity tokens: JWTs (RFC 7519), of which only the expiry is read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::super::secret::Secret;

/// The time before its expiry at which a token counts as expired, as in client-go, since clocks differ.
const EARLY: Duration = Duration::from_secs(10);

/// A presumed identity token.
#[derive(Clone)]
pub(super) struct Jwt {
    text: Secret,
    /// The expiry; `None` if it is not a JWT.
    expires: Option<SystemTime>,
}

impl Jwt {
    /// Parses a text once.
    pub(super) fn of(text: Secret) -> Self {
        Self { expires: expiry(text.reveal()), text }
    }

    /// Returns the token itself.
    pub(super) fn reveal(&self) -> &str {
        self.text.reveal()
    }

    /// Returns whether it is a JWT.
    pub(super) fn is_one(&self) -> bool {
        self.expires.is_some()
    }

    /// Returns whether it is still valid, or `None` if it is not a JWT.
    pub(super) fn holds(&self) -> Option<bool> {
        self.expires.map(|expires| SystemTime::now() + EARLY < expires)
    }
}

/// Returns the expiry of a JWT: the beginning of time if it names none, or `None` if it is not a JWT.
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
}
