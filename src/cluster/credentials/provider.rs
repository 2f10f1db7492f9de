//! The identity provider of an `oidc` user: the address of its token endpoint, and that endpoint's answer to
//! a refresh token (golang.org/x/oauth2, internal/token.go).

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response, Url};
use serde::Deserialize;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::super::Endpoint as Address;
use super::super::secret::Secret;
use super::tokens::Unrefreshed;
use crate::environment::Environment;
use crate::proxy::Proxy;

/// The largest answer in bytes, as in oauth2.
const LONGEST: usize = 1 << 20;

/// The timeout for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest number of redirects, as in Go.
const REDIRECTS: usize = 10;

/// An issuer of identity tokens, and the client that requests them.
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) client: String,
    pub(super) secret: Secret,
    pub(super) authority: Option<Authority>,
    /// The environment with its proxies.
    pub(super) environment: Arc<Environment>,
}

/// The authorities for an identity provider.
pub(super) enum Authority {
    Data(Vec<u8>),
    File(PathBuf),
}

/// The token endpoint, and a client for it.
pub(super) struct Endpoint {
    client: Client,
    url: Url,
}

/// The tokens from an endpoint.
pub(super) struct Given {
    pub(super) id: Option<Secret>,
    /// A new refresh token, if it replaces the old one.
    pub(super) refresh: Option<Secret>,
}

/// The way in which a client authenticates. Servers differ, so both are tried.
#[derive(Clone, Copy)]
enum Style {
    Header,
    Parameters,
}

/// The reason of a refusal.
struct Refused {
    /// The status of its answer, if one was received.
    status: Option<StatusCode>,
    why: Unrefreshed,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    token_endpoint: String,
}

/// A token endpoint's answer (RFC 6749 §5).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    access_token: Secret,
    id_token: Option<Secret>,
    refresh_token: Option<Secret>,
    error: Option<String>,
}

impl Provider {
    /// Exchanges a refresh token for an identity token. The other way to authenticate the client is tried
    /// only if the first one was refused: after any other error the token may be spent.
    pub(super) async fn refresh(&self, endpoint: &Endpoint, refresh: &Secret) -> Result<Given, Unrefreshed> {
        const REFUSED: [StatusCode; 2] = [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED];
        let answer = match self.ask(endpoint, refresh, Style::Header).await {
            Err(Refused { status: Some(status), .. }) if REFUSED.contains(&status) => {
                self.ask(endpoint, refresh, Style::Parameters).await
            }
            answer => answer,
        };
        let Answer { id_token, refresh_token, .. } = answer.map_err(|refused| refused.why)?;
        let filled = |token: Option<Secret>| token.filter(|token| !token.is_empty());
        Ok(Given { id: filled(id_token), refresh: filled(refresh_token) })
    }

    /// Discovers the token endpoint (`OpenID` Connect Discovery 1.0).
    pub(super) async fn endpoint(&self) -> Result<Endpoint, Unrefreshed> {
        let issuer = self.issuer.strip_suffix('/').unwrap_or(&self.issuer);
        let url = Url::parse(&format!("{issuer}/.well-known/openid-configuration"))
            .map_err(|error| format!("its idp-issuer-url is not a valid URL: {error}"))?;
        let late =
            |_| Unrefreshed::from("the identity provider's configuration: there was no response in time");
        let (status, body) = timeout(PATIENCE, self.follow(url)).await.map_err(late)??;
        if status != StatusCode::OK {
            return Err(format!("the identity provider's configuration: it answered {status}").into());
        }
        let metadata: Option<Metadata> = serde_json::from_slice(&body).ok();
        let url = metadata.and_then(|metadata| Url::parse(&metadata.token_endpoint).ok());
        let url = url.ok_or("the identity provider's configuration has no token_endpoint")?;
        if url.scheme() != "https" && self.issuer.starts_with("https:") {
            return Err("the identity provider's token_endpoint is not https, as it is itself".into());
        }
        Ok(Endpoint { client: self.client(&url)?, url })
    }

    /// Gets a public document and follows redirects. Written by hand, since each address may have another
    /// proxy.
    async fn follow(&self, mut url: Url) -> Result<(StatusCode, Zeroizing<Vec<u8>>), Unrefreshed> {
        let mut secure = false;
        for _ in 0..=REDIRECTS {
            secure |= url.scheme() == "https";
            let (status, headers, body) = answered(self.client(&url)?.get(url.clone())).await?;
            let location = headers.get(LOCATION).filter(|_| status.is_redirection());
            let next = location.and_then(|location| url.join(location.to_str().ok()?).ok());
            match next {
                Some(next) => url = next,
                None => return Ok((status, body)),
            }
            if secure && url.scheme() != "https" {
                return Err("the identity provider redirects from https to http".into());
            }
        }
        Err("the identity provider redirects too many times".into())
    }

    async fn ask(&self, endpoint: &Endpoint, refresh: &Secret, style: Style) -> Result<Answer, Refused> {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.reveal())];
        let mut request = endpoint.client.post(endpoint.url.clone());
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
        let unread = |why: String| Refused { status: None, why: why.into() };
        let (status, headers, body) = answered(request.body(form)).await.map_err(unread)?;
        let answer = read(&headers, &body);
        let code = answer.as_ref().and_then(|answer| answer.error.as_deref()).filter(|code| !code.is_empty());
        let refused = |why| Refused { status: Some(status), why };
        if !status.is_success() || code.is_some() {
            // What it says beside the code is anything.
            let is_code =
                |code: &&str| code.len() < 64 && code.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
            let code = code.filter(is_code);
            let shown = code.map(|code| format!(" ({code})")).unwrap_or_default();
            let why =
                format!("the identity provider does not refresh the token: it answered {status}{shown}");
            // By the one code the token itself is refused (RFC 6749 §5.2).
            let gone = code == Some("invalid_grant");
            return Err(refused(if gone { Unrefreshed::for_good(why) } else { why.into() }));
        }
        answer
            .filter(Answer::says_something)
            .ok_or_else(|| refused("the identity provider's response is not one of OAuth 2".into()))
    }

    /// Returns a client for this address.
    fn client(&self, url: &Url) -> Result<Client, Unrefreshed> {
        const WHAT: &str = "the identity provider's certificate authority";
        let pem = match &self.authority {
            None => None,
            Some(Authority::Data(pem)) => Some(pem.clone()),
            Some(Authority::File(path)) => {
                Some(fs::read(path).map_err(|error| format!("{WHAT}: {}: {error}", path.display()))?)
            }
        };
        let mut builder = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy();
        if let Some(proxy) = self.proxy(url)? {
            builder = builder.proxy(proxy);
        }
        if let Some(pem) = pem {
            let roots = Certificate::from_pem_bundle(&pem)
                .map_err(|error| format!("{WHAT}: {}", innermost(&error)))?;
            builder = builder.tls_certs_only(roots);
        }
        builder.build().map_err(|error| innermost(&error).into())
    }

    /// Returns the environment's proxy on the way there, as kubectl chooses it.
    fn proxy(&self, url: &Url) -> Result<Option<reqwest::Proxy>, Unrefreshed> {
        let address = Address::read(&url.origin().ascii_serialization());
        let address = address.ok_or("the identity provider's address is not that of a server")?;
        let proxy = Proxy::of_environment(&self.environment, address.origin().into());
        let proxy = proxy.map_err(|error| error.to_string())?;
        let Some(proxy) = proxy else { return Ok(None) };
        let way = reqwest::Proxy::all(proxy.url()).map_err(|error| innermost(&error))?;
        Ok(Some(match proxy.user() {
            Some((user, password)) => way.basic_auth(user, password),
            None => way,
        }))
    }
}

impl Answer {
    fn says_something(&self) -> bool {
        let tokens = [Some(&self.access_token), self.id_token.as_ref(), self.refresh_token.as_ref()];
        tokens.into_iter().flatten().any(|token| !token.is_empty())
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
            return Err("the identity provider's response is longer than 1 MiB".to_owned());
        }
        body.extend_from_slice(&piece);
    }
    Ok((response.status(), response.headers().clone(), body))
}

/// Parses a token endpoint's answer, as JSON or, from some servers, as a form.
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

/// Escapes a text as in a form, which client-go does with the parts of this header, unlike RFC 7617.
fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Returns the most specific cause. reqwest's own message only contains the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
