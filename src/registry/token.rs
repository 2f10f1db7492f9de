//! Authorization at a registry: [a token][1], or a password.
//!
//! [1]: https://distribution.github.io/distribution/spec/auth/token/

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_auth::{ChallengeParser, ChallengeRef};
use reqwest::{Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Error;
use super::credentials::Credentials;
use super::server::{self, Actions, Server};

/// The largest response with a token, in bytes.
const LONGEST: u64 = 1 << 20;

/// The longest wait for a token.
const WAIT: Duration = Duration::from_mins(1);

/// The place where tokens are issued, from a registry's challenge.
struct Realm {
    address: Url,
    service: Option<String>,
}

/// Answers the challenges of a registry for the actions in its repository. Returns `None` if there are no
/// credentials to answer with.
///
/// # Errors
/// If the challenge is not supported, or no token is issued.
pub(super) async fn authorize(
    registry: &Server,
    challenges: &[String],
    actions: Actions,
) -> Result<Option<HeaderValue>, Error> {
    if let Credentials::Bearer(token) = &registry.credentials {
        return Ok(server::secret(&Zeroizing::new(format!("Bearer {}", **token))));
    }
    if let Some(challenge) = first(challenges, "bearer") {
        return token(registry, &Realm::of(registry, &challenge)?, actions).await;
    }
    Ok(match &registry.credentials {
        Credentials::Basic { user, password } if first(challenges, "basic").is_some() => {
            server::secret(&basic(user, password))
        }
        _ => None,
    })
}

/// Returns the first readable challenge of a scheme. There may be several in one header, and several headers.
fn first<'a>(challenges: &'a [String], scheme: &str) -> Option<ChallengeRef<'a>> {
    let mut parsed = challenges.iter().flat_map(|text| ChallengeParser::new(text).map_while(Result::ok));
    parsed.find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
}

fn basic(user: &str, password: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

impl Realm {
    /// Reads the realm from a challenge.
    fn of(registry: &Server, challenge: &ChallengeRef<'_>) -> Result<Self, Error> {
        let parameter = |name: &str| {
            let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        let realm = parameter("realm").unwrap_or_default();
        let address: Url = realm.parse().map_err(|_| {
            registry.answer(format!("it requires a token from `{realm}`, which is not a valid address"))
        })?;
        // A password is sent in the clear only where the user allows it: to the registry, and on this
        // machine.
        let plain = registry.is_plain() && (registry.owns(&address) || server::is_loopback(&address));
        if address.scheme() != "https" && !plain {
            return Err(registry.answer(format!("it requires a token from {address}, which is not https")));
        }
        Ok(Self { address, service: parameter("service") })
    }
}

#[derive(Deserialize)]
struct Answer {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
}

async fn token(registry: &Server, realm: &Realm, actions: Actions) -> Result<Option<HeaderValue>, Error> {
    let document =
        registry.read_with_retries(LONGEST, async || given(registry, realm, actions).await.map(Some)).await?;
    let Some(document) = document else { return Ok(None) };
    let nonsense =
        |what: &str| Error::Answer { host: registry.called(&realm.address), what: what.to_owned() };
    let Answer { token, access_token } = serde_json::from_slice(&document.bytes)
        .map_err(|_| nonsense("it does not answer a request for a token with one"))?;
    // Each way of asking has its own name for it; some registries give both, and one of them empty.
    let given = |token: &SecretString| !token.expose_secret().is_empty();
    let token = token.filter(given).or(access_token.filter(given));
    let token = token.ok_or_else(|| nonsense("it answers a request for a token without one"))?;
    server::secret(&Zeroizing::new(format!("Bearer {}", token.expose_secret())))
        .map(Some)
        .ok_or_else(|| nonsense("it gives a token that does not fit in a header"))
}

/// Requests a token, and returns the response.
async fn given(registry: &Server, realm: &Realm, actions: Actions) -> Result<Response, Error> {
    let ask = async |credentials: &Credentials| {
        registry.persist(async || Ok(ask(registry, realm, actions, credentials).await)).await
    };
    let refused =
        |answer: &Response| matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let answer = ask(&registry.credentials).await?;
    if !refused(&answer) {
        return registry.expect_status(answer, &[StatusCode::OK]).await;
    }
    // An expired login must not prevent access to public content.
    if actions == Actions::Pull && !registry.credentials.is_none() {
        let public = ask(&Credentials::Anonymous).await?;
        if public.status() == StatusCode::OK {
            return Ok(public);
        }
    }
    Err(registry.denied(actions, &server::said(answer).await))
}

async fn ask(
    registry: &Server,
    realm: &Realm,
    actions: Actions,
    credentials: &Credentials,
) -> reqwest::Result<Response> {
    let scope = format!("repository:{}:{}", registry.repository(), actions.name());
    let mut parameters = vec![("scope", scope.as_str())];
    if let Some(service) = &realm.service {
        parameters.push(("service", service));
    }
    let request = if let Credentials::Identity(token) = credentials {
        // https://distribution.github.io/distribution/spec/auth/oauth/
        parameters.extend([
            ("grant_type", "refresh_token"),
            ("client_id", "kwasm"),
            ("refresh_token", token),
        ]);
        // A URL is written as a form is; of this one only its query goes anywhere.
        let mut form = realm.address.clone();
        form.query_pairs_mut().clear().extend_pairs(parameters);
        registry
            .direct()
            .post(realm.address.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.query().unwrap_or_default().to_owned())
    } else {
        let mut address = realm.address.clone();
        address.query_pairs_mut().extend_pairs(parameters);
        let login = match credentials {
            Credentials::Basic { user, password } => server::secret(&basic(user, password)),
            _ => None,
        };
        let headers = login.map(|login| (AUTHORIZATION, login)).into_iter().collect();
        registry.direct().get(address).headers(headers)
    };
    request.timeout(WAIT).send().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_found_wherever_it_stands() {
        let schemes = |headers: &[&str]| {
            let headers: Vec<String> = headers.iter().map(ToString::to_string).collect();
            ["basic", "bearer"].map(|scheme| first(&headers, scheme).is_some())
        };
        assert_eq!(schemes(&["Negotiate, Basic realm=\"x\""]), [true, false]);
        assert_eq!(
            schemes(&["Negotiate", "BASIC realm=\"x\", Bearer realm=\"y\",scope=\"a,b\""]),
            [true, true]
        );
        assert_eq!(schemes(&["Bearer realm=\"https://x/, Basic realm=y\""]), [false, true]);
        assert_eq!(schemes(&["Basically realm=\"x\"", "\"Basic"]), [false, false]);
    }
}
