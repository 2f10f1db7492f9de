//! What a registry wants to see before it gives something: [a token][1], or a password.
//!
//! oci-client knows this but for identity tokens.
//!
//! [1]: https://distribution.github.io/distribution/spec/auth/token/

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Error;
use super::credentials::Credentials;
use super::host::{self, Host};

/// The longest answer with a token, in bytes.
const LONGEST: u64 = 1 << 20;

/// Where tokens are had, as a registry's challenge says.
struct Realm {
    address: Url,
    service: Option<String>,
}

/// Answers the challenges of a registry, for `actions` (`pull` or `pull,push`) in its repository.
///
/// # Errors
/// When it asks for what is not known here, or whoever gives tokens gives none.
pub(super) async fn authorize(
    registry: &Host,
    http: &reqwest::Client,
    challenges: &[String],
    actions: &str,
) -> Result<Option<HeaderValue>, Error> {
    if let Credentials::Bearer(token) = &registry.credentials {
        return Ok(host::secret(&Zeroizing::new(format!("Bearer {}", **token))));
    }
    if let Some(realm) = bearer(registry, challenges)? {
        return token(registry, http, &realm, actions).await;
    }
    let basic = challenges
        .iter()
        .any(|challenge| challenge.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic")));
    Ok(match &registry.credentials {
        Credentials::Basic { user, password } if basic => host::secret(&self::basic(user, password)),
        _ => None,
    })
}

fn basic(user: &str, password: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

/// Where the first challenge for a bearer token leads.
fn bearer(registry: &Host, challenges: &[String]) -> Result<Option<Realm>, Error> {
    let parsed = challenges.iter().filter_map(|text| http_auth::parse_challenges(text).ok()).flatten();
    let mut bearer = parsed.filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"));
    let Some(challenge) = bearer.next() else { return Ok(None) };
    let parameter = |name: &str| {
        let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_unescaped())
    };
    let realm = parameter("realm").unwrap_or_default();
    let address: Url = realm
        .parse()
        .map_err(|_| registry.answer(format!("it wants a token of `{realm}`, which is no address")))?;
    // A password goes nowhere in the clear, unless the registry itself is reached so.
    if address.scheme() != "https" && !registry.is_plain() {
        return Err(registry.answer(format!("it wants a token of {address}, which is not https")));
    }
    Ok(Some(Realm { address, service: parameter("service") }))
}

#[derive(Deserialize)]
struct Answer {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
}

async fn token(
    registry: &Host,
    http: &reqwest::Client,
    realm: &Realm,
    actions: &str,
) -> Result<Option<HeaderValue>, Error> {
    let answer = ask(registry, http, realm, actions, &registry.credentials).await?;
    let refused = matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let answer = if refused && actions == "pull" && !matches!(registry.credentials, Credentials::Anonymous) {
        // A login that has run out must not keep anybody from what is public.
        let public = ask(registry, http, realm, actions, &Credentials::Anonymous).await?;
        if public.status().is_success() { public } else { answer }
    } else {
        answer
    };
    let answer = registry.expect(answer, &[StatusCode::OK]).await?;
    let bytes = host::read(answer, LONGEST)
        .await
        .map_err(|_| registry.answer(format!("{} gives no token of a sensible length", realm.address)))?;
    let bytes = Zeroizing::new(bytes.to_vec());
    let Ok(Answer { token, access_token }) = serde_json::from_slice(&bytes) else {
        return Err(registry.answer(format!("{} gives no token but something else", realm.address)));
    };
    let token = token.or(access_token).unwrap_or_default();
    host::secret(&Zeroizing::new(format!("Bearer {}", token.expose_secret())))
        .map(Some)
        .ok_or_else(|| registry.answer(format!("{} gives a token that no header can hold", realm.address)))
}

async fn ask(
    registry: &Host,
    http: &reqwest::Client,
    realm: &Realm,
    actions: &str,
    credentials: &Credentials,
) -> Result<reqwest::Response, Error> {
    let scope = format!("repository:{}:{actions}", registry.repository());
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
        http.post(realm.address.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.query().unwrap_or_default().to_owned())
    } else {
        let mut address = realm.address.clone();
        address.query_pairs_mut().extend_pairs(parameters);
        let login = match credentials {
            Credentials::Basic { user, password } => host::secret(&basic(user, password)),
            _ => None,
        };
        let headers = login.map(|login| (AUTHORIZATION, login)).into_iter().collect();
        http.get(address).headers(headers)
    };
    request.send().await.map_err(|error| registry.unreachable(&error))
}
