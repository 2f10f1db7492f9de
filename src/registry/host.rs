//! One registry over HTTP: each request authorised, retried where that may help, each answer bounded.
//!
//! oci-client reads answers of any length and pages of which only the first; what is read goes through here.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Url;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::credentials::Credentials;
use super::settings::Reach;
use super::{Error, token};
use crate::reference::DOCKER_HUB;

/// A repository of a registry, and how it is reached.
pub(super) struct Host {
    /// As the user wrote it.
    name: String,
    /// Where its API is, with a slash at its end.
    base: Url,
    repository: String,
    http: reqwest::Client,
    pub(super) credentials: Credentials,
    /// What the registry gave for the credentials, as a value of `Authorization`.
    authorization: Mutex<Option<HeaderValue>>,
}

/// An answer that was read whole.
pub(super) struct Document {
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
    /// Where it came from, after redirects.
    pub(super) url: Url,
}

/// How often a request is sent before its registry is given up.
pub(super) const TRIES: u32 = 5;

/// The longest that a registry may ask to be left alone.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest error that is read, in bytes.
const ERROR: u64 = 64 << 10;

impl Host {
    /// Finds out how a registry is reached. Sends something only to one on this machine, which may speak HTTP without TLS.
    ///
    /// # Errors
    /// When the configuration for it cannot be used.
    pub(super) async fn open(reach: Reach, name: &str, repository: &str) -> Result<Self, Error> {
        let api = if name == DOCKER_HUB { "registry-1.docker.io" } else { name };
        let address = |scheme: &str| format!("{scheme}://{api}/").parse::<Url>();
        let base = address(if reach.plain { "http" } else { "https" })
            .map_err(|error| Error::Host { host: name.to_owned(), what: error.to_string() })?;
        let mut host = Self {
            name: name.to_owned(),
            base,
            repository: repository.to_owned(),
            http: reach.http,
            credentials: reach.credentials,
            authorization: Mutex::new(None),
        };
        if !reach.protocol_is_set && is_loopback(&host.base) && host.speaks_plain().await {
            host.base = address("http").unwrap_or(host.base);
        }
        Ok(host)
    }

    /// Whether a registry on this machine answers HTTP where it was asked for TLS.
    async fn speaks_plain(&self) -> bool {
        let Ok(tls) = self.base.join("v2/") else { return false };
        let mut plain = tls.clone();
        if plain.set_scheme("http").is_err() {
            return false;
        }
        match self.http.head(tls).send().await {
            Ok(_) => false,
            // A TLS registry answers this too, with an error: it is asked last, and gets no credentials.
            Err(_) => self
                .http
                .head(plain)
                .send()
                .await
                .is_ok_and(|answer| answer.status() != StatusCode::BAD_REQUEST),
        }
    }

    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    /// The registry, as the user wrote it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The host that its API is at.
    pub(super) fn api(&self) -> &str {
        self.base.authority()
    }

    /// Registry and repository, as the user wrote them.
    pub(super) fn place(&self) -> String {
        format!("{}/{}", self.name, self.repository)
    }

    /// Whether it is reached without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.base.scheme() == "http"
    }

    /// The address of something of this repository, e.g. `manifests/latest`.
    pub(super) fn url(&self, path: &str) -> Result<Url, Error> {
        self.root(&format!("v2/{}/{path}", self.repository))
    }

    /// The address of something of this registry.
    pub(super) fn root(&self, path: &str) -> Result<Url, Error> {
        self.base.join(path).map_err(|error| self.answer(format!("{path} is no address: {error}")))
    }

    /// Whether an address is one of this registry's own.
    pub(super) fn owns(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// An error about what this registry answers.
    pub(super) fn answer(&self, what: String) -> Error {
        Error::Answer { host: self.name.clone(), what }
    }

    /// Gets something whole. `None`: there is no such thing.
    ///
    /// # Errors
    /// When the registry cannot be reached, refuses, or answers with more than `limit` bytes, or with a web page.
    pub(super) async fn document(
        &self,
        url: Url,
        accept: &str,
        limit: u64,
    ) -> Result<Option<Document>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap_or(HeaderValue::from_static("*/*")));
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = self.get(url.clone(), &headers).await?;
            if answer.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            let answer = self.expect(answer, &[StatusCode::OK]).await?;
            self.no_web_page(&answer)?;
            let (headers, url) = (answer.headers().clone(), answer.url().clone());
            match read(answer, limit).await {
                Ok(bytes) => return Ok(Some(Document { headers, bytes, url })),
                Err(Cut::TooLong) => {
                    return Err(self.answer(format!("{}: more than {limit} bytes", url.path())));
                }
                Err(Cut::Off(error)) if tries == TRIES => return Err(self.unreachable(&error)),
                Err(Cut::Off(_)) => tokio::time::sleep(back_off(tries)).await,
            }
        }
    }

    /// Gets a blob from its byte `offset` on, as it comes.
    ///
    /// # Errors
    /// As [`Self::document`].
    pub(super) async fn blob(&self, url: Url, offset: u64) -> Result<reqwest::Response, Error> {
        let mut headers = HeaderMap::new();
        if offset > 0 {
            headers.insert(
                RANGE,
                HeaderValue::from_str(&format!("bytes={offset}-"))
                    .unwrap_or(HeaderValue::from_static("bytes=0-")),
            );
        }
        let answer = self.get(url, &headers).await?;
        let answer = self.expect(answer, &[StatusCode::OK, StatusCode::PARTIAL_CONTENT]).await?;
        self.no_web_page(&answer)?;
        Ok(answer)
    }

    /// Sends a request until it is answered by something that a later one would not be answered otherwise by.
    async fn get(&self, url: Url, headers: &HeaderMap) -> Result<reqwest::Response, Error> {
        let mut asked_for_token = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let mut request = self.http.get(url.clone()).headers(headers.clone());
            // A redirect's target gets none of it: reqwest takes it away between hosts.
            let authorization = self.authorization.lock().await.clone();
            if let Some(authorization) = authorization.filter(|_| self.owns(&url)) {
                request = request.header(AUTHORIZATION, authorization);
            }
            let wait = match request.send().await {
                Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED && !asked_for_token => {
                    asked_for_token = true;
                    tries -= 1;
                    let challenges = challenges(answer.headers());
                    let authorization = token::authorize(self, &self.http, &challenges, "pull").await?;
                    *self.authorization.lock().await = authorization;
                    continue;
                }
                Ok(answer) if tries < TRIES && may_pass(answer.status()) => {
                    asked_to_wait(answer.headers()).unwrap_or(back_off(tries))
                }
                Ok(answer) => return Ok(answer),
                Err(error) if tries < TRIES && !is_final(&error) => back_off(tries),
                Err(error) => return Err(self.unreachable(&error)),
            };
            if wait > PATIENCE {
                return Err(self.answer(format!("it asks to be left alone for {} seconds", wait.as_secs())));
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// A token or a password with which the registry takes what is pushed: for oci-client, which does the pushing.
    ///
    /// # Errors
    /// When the registry refuses.
    pub(super) async fn authorize_push(&self) -> Result<oci_client::secrets::RegistryAuth, Error> {
        use oci_client::secrets::RegistryAuth;
        let answer =
            self.http.get(self.root("v2/")?).send().await.map_err(|error| self.unreachable(&error))?;
        let challenges = challenges(answer.headers());
        let authorization = token::authorize(self, &self.http, &challenges, "pull,push").await?;
        let bearer = authorization
            .as_ref()
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ").map(str::to_owned));
        Ok(match (bearer, &self.credentials) {
            (Some(token), _) => RegistryAuth::Bearer(token),
            (None, Credentials::Basic { user, password }) => {
                RegistryAuth::Basic(user.clone(), password.to_string())
            }
            (None, _) => RegistryAuth::Anonymous,
        })
    }

    /// Turns an answer that was not hoped for into an error.
    pub(super) async fn expect(
        &self,
        answer: reqwest::Response,
        hoped: &[StatusCode],
    ) -> Result<reqwest::Response, Error> {
        let status = answer.status();
        if hoped.contains(&status) {
            return Ok(answer);
        }
        let path = answer.url().path().to_owned();
        let reason = read(answer, ERROR).await.ok().and_then(|bytes| reason(&bytes));
        let said = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Denied {
                place: self.place(),
                what: format!("{}{said}", self.credentials.who()),
                login: self.name.clone(),
            },
            _ => self.answer(format!("{path}: {status}{said}")),
        })
    }

    /// Refuses what a login page or a proxy answers with, whatever its status.
    fn no_web_page(&self, answer: &reqwest::Response) -> Result<(), Error> {
        let media_type =
            answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if media_type.starts_with("text/html") {
            return Err(Error::WebPage { host: self.name.clone() });
        }
        Ok(())
    }

    /// An error of the connection.
    pub(super) fn unreachable(&self, error: &reqwest::Error) -> Error {
        Error::Unreachable { host: self.name.clone(), what: innermost(error), tls: is_tls(error) }
    }
}

/// Why an answer could not be read whole.
pub(super) enum Cut {
    /// The connection ended.
    Off(reqwest::Error),
    /// It is longer than it may be.
    TooLong,
}

/// Reads an answer of at most `limit` bytes.
pub(super) async fn read(mut answer: reqwest::Response, limit: u64) -> Result<Bytes, Cut> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(Cut::Off)? {
        if (bytes.len() + chunk.len()) as u64 > limit {
            return Err(Cut::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// What registries say of an error ([distribution specification][1]): its codes and messages.
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
fn reason(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = body.get("errors")?.as_array()?.first()?;
    let text = |key: &str| error.get(key).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
    let said = text("message").or_else(|| text("code"))?;
    Some(said.chars().take(300).collect())
}

fn challenges(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()
}

/// Whether the same request may be answered otherwise a little later.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// 0.2 s, 0.6 s, 1.8 s, …
pub(super) fn back_off(tries: u32) -> Duration {
    Duration::from_millis(200) * 3_u32.saturating_pow(tries.saturating_sub(1))
}

/// Whether the next try would end the same way.
fn is_final(error: &reqwest::Error) -> bool {
    let refused = io_errors(error).any(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    let unknown = innermost(error).contains("failed to lookup address");
    refused || unknown || is_tls(error) || error.is_redirect() || error.is_builder()
}

fn is_tls(error: &reqwest::Error) -> bool {
    io_errors(error).any(is_tls_inside)
}

/// An I/O error's source is that of the error inside it, not that error itself; and there may be another one inside.
fn is_tls_inside(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| {
        inner.is::<rustls::Error>() || inner.downcast_ref::<io::Error>().is_some_and(is_tls_inside)
    })
}

fn io_errors(error: &reqwest::Error) -> impl Iterator<Item = &io::Error> {
    causes(error).filter_map(|cause| cause.downcast_ref())
}

/// The cause that says most: reqwest's own words name the address only.
fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |cause| cause.source())
}

/// Whether an address can only lead to this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A header that carries a secret.
pub(super) fn secret(value: &Zeroizing<String>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
