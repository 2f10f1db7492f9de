//! An identity token: a JWT (RFC 7519), of which nothing is read but when it expires.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::super::secret::Secret;

/// How long before its end a token counts as expired, as in client-go: clocks differ.
const EARLY: Duration = Duration::from_secs(10);

/// What is to be an identity token.
#[derive(Clone)]
pub(super) struct Jwt {
    text: Secret,
    /// `None` when it is no JWT.
    expires: Option<SystemTime>,
}

impl Jwt {
    /// Takes a text for one, and reads it once.
    pub(super) fn of(text: Secret) -> Self {
        Self { expires: expiry(text.reveal()), text }
    }

    /// The token itself.
    pub(super) fn reveal(&self) -> &str {
        self.text.reveal()
    }

    /// Whether it is one.
    pub(super) fn is_one(&self) -> bool {
        self.expires.is_some()
    }

    /// Whether it holds still. `None` when it is none.
    pub(super) fn holds(&self) -> Option<bool> {
        self.expires.map(|expires| SystemTime::now() + EARLY < expires)
    }
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
}
