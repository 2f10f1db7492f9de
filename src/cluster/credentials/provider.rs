//! The identity provider of an `oidc` user: where its token endpoint is, and what that gives for a refresh token
//! (golang.org/x/oauth2, internal/token.go).

use std::fs;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Certificate, Client, RequestBuilder, Response, Url};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::super::secret::Secret;
use super::oidc::Authority;

/// The longest answer, as in oauth2.
const LONGEST: usize = 1 << 20;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who gives identity tokens, and as whom they are asked for one.
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) client: String,
    pub(super) secret: Secret,
    pub(super) authority: Option<Authority>,
}

/// What it gives.
pub(super) struct Given {
    pub(super) id: Secret,
    /// Another refresh token, if the old one goes no longer.
    pub(super) refresh: Option<Secret>,
}

/// How a client says who it is. Servers differ, so both are tried.
#[derive(Clone, Copy)]
enum Style {
    Header,
    Parameters,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    token_endpoint: String,
}

/// An answer of a token endpoint (RFC 6749 §5).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    access_token: Secret,
    id_token: Option<Secret>,
    refresh_token: Option<Secret>,
    error: Option<String>,
}

impl Provider {
    /// Gives a refresh token for an identity token.
    pub(super) async fn refresh(&self, refresh: &Secret) -> Result<Given, String> {
        let endpoint = self.endpoint().await?;
        let client = self.client(Policy::none())?;
        let answer = match self.ask(&client, &endpoint, refresh, Style::Header).await {
            Ok(answer) => answer,
            Err(_) => self.ask(&client, &endpoint, refresh, Style::Parameters).await?,
        };
        let id = answer.id_token.filter(|token| !token.is_empty());
        let id = id.ok_or(
            "the identity provider gave no id_token: it was not asked for the scope openid at login, or gives none again",
        )?;
        Ok(Given { id, refresh: answer.refresh_token.filter(|token| !token.is_empty()) })
    }

    /// Where refresh tokens are taken (`OpenID` Connect Discovery 1.0).
    async fn endpoint(&self) -> Result<Url, String> {
        let issuer = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        let client = self.client(Policy::custom(follow))?;
        let request = client.get(format!("{issuer}/.well-known/openid-configuration"));
        let (status, _, body) = answered(request).await?;
        if status != StatusCode::OK {
            return Err(format!("the identity provider's configuration: it answered {status}"));
        }
        let metadata: Option<Metadata> = serde_json::from_slice(&body).ok();
        let endpoint = metadata.and_then(|metadata| Url::parse(&metadata.token_endpoint).ok());
        let endpoint = endpoint.ok_or("the identity provider's configuration has no token_endpoint")?;
        if endpoint.scheme() != "https" && self.issuer.starts_with("https:") {
            return Err("the identity provider's token_endpoint is not https, as it is itself".to_owned());
        }
        Ok(endpoint)
    }

    async fn ask(
        &self,
        client: &Client,
        endpoint: &Url,
        refresh: &Secret,
        style: Style,
    ) -> Result<Answer, String> {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.reveal())];
        let mut request = client.post(endpoint.clone());
        match style {
            Style::Header => {
                let secret = Zeroizing::new(escaped(self.secret.reveal()));
                request = request.basic_auth(escaped(&self.client), Some(secret.as_str()));
            }
            Style::Parameters => {
                form.push(("client_id", &self.client));
                if !self.secret.is_empty() {
                    form.push(("client_secret", self.secret.reveal()));
                }
            }
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let (status, headers, body) = answered(request.body(form)).await?;
        let answer = read(&headers, &body);
        let code = answer.as_ref().and_then(|answer| answer.error.as_deref()).filter(|code| !code.is_empty());
        if !status.is_success() || code.is_some() {
            // What it says beside the code is anything.
            let is_code =
                |code: &&str| code.len() < 64 && code.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
            let code = code.filter(is_code).map(|code| format!(" ({code})")).unwrap_or_default();
            return Err(format!(
                "the identity provider does not refresh the token: it answered {status}{code}"
            ));
        }
        answer
            .filter(|answer| !answer.access_token.is_empty())
            .ok_or_else(|| "the identity provider's answer is none of OAuth 2".to_owned())
    }

    fn client(&self, redirects: Policy) -> Result<Client, String> {
        const WHAT: &str = "the identity provider's certificate authority";
        let pem = match &self.authority {
            None => None,
            Some(Authority::Data(pem)) => Some(pem.clone()),
            Some(Authority::File(path)) => {
                Some(fs::read(path).map_err(|error| format!("{WHAT}: {}: {error}", path.display()))?)
            }
        };
        let mut builder = Client::builder().timeout(PATIENCE).redirect(redirects);
        if let Some(pem) = pem {
            let roots = Certificate::from_pem_bundle(&pem)
                .map_err(|error| format!("{WHAT}: {}", innermost(&error)))?;
            builder = builder.tls_certs_only(roots);
        }
        builder.build().map_err(|error| innermost(&error))
    }
}

/// Follows a redirect, but none that would show to all what was asked in secret.
fn follow(attempt: Attempt<'_>) -> Action {
    let before = attempt.previous();
    let downgrade = attempt.url().scheme() != "https" && before.iter().any(|url| url.scheme() == "https");
    if downgrade {
        attempt.error("it leads from https to http")
    } else if before.len() >= 10 {
        attempt.error("it leads on and on")
    } else {
        attempt.follow()
    }
}

async fn answered(request: RequestBuilder) -> Result<(StatusCode, HeaderMap, Zeroizing<Vec<u8>>), String> {
    let failed = |error: reqwest::Error| {
        let error = error.without_url();
        format!("the identity provider cannot be reached: {}", innermost(&error))
    };
    let mut response: Response = request.send().await.map_err(failed)?;
    let mut body = Zeroizing::new(Vec::new());
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > LONGEST {
            return Err("the identity provider's answer is longer than 1 MiB".to_owned());
        }
        body.extend_from_slice(&piece);
    }
    Ok((response.status(), response.headers().clone(), body))
}

/// What a token endpoint answered, as JSON or, as some do, as a form.
fn read(headers: &HeaderMap, body: &[u8]) -> Option<Answer> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !matches!(kind, "application/x-www-form-urlencoded" | "text/plain") {
        return serde_json::from_slice(body).ok();
    }
    let mut answer = Answer::default();
    for (name, value) in form_urlencoded::parse(body) {
        let value = Secret::from(value.into_owned());
        match name.as_ref() {
            "access_token" => answer.access_token = value,
            "id_token" => answer.id_token = Some(value),
            "refresh_token" => answer.refresh_token = Some(value),
            "error" => answer.error = Some(value.reveal().to_owned()),
            _ => {}
        }
    }
    Some(answer)
}

/// A text as a form has it: so client-go has the parts of this header, other than RFC 7617.
fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The cause that says most: reqwest's own words name the address only.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
