//! One registry over HTTP: each request authorised, retried where that may help, each answer bounded.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Response, Url};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::connection::{Obstacle, innermost, is_final};
use super::credentials::Credentials;
use super::settings::{Clients, Reach};
use super::{Error, token};
use crate::reference::DOCKER_HUB;

/// A repository of a registry, and how it is reached.
pub(super) struct Host {
    /// As the user wrote it.
    name: String,
    /// Where its API is, with a slash at its end.
    base: Url,
    repository: String,
    clients: Clients,
    pub(super) credentials: Credentials,
    /// What the registry takes for the credentials, as a value of `Authorization`: for each that is to be done, its own.
    authorizations: Mutex<BTreeMap<Actions, HeaderValue>>,
}

/// What is to be done in a repository, as tokens name it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Actions {
    Pull,
    PullPush,
}

/// What is asked of a registry. It can be sent again.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// What has a body is sent to its address and no further, and has the time that so much takes.
    pub(super) body: Option<Bytes>,
    pub(super) actions: Actions,
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

/// The slowest that anything is sent, in bytes a second.
const SLOWEST: u64 = 32 << 10;

/// The longest wait for an answer to what is sent in no time.
const ANSWER: Duration = Duration::from_mins(1);

impl Actions {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::PullPush => "pull,push",
        }
    }
}

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
            clients: reach.clients,
            credentials: reach.credentials,
            authorizations: Mutex::default(),
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
        let http = &self.clients.following;
        // A TLS registry answers HTTP too, with an error: it is asked last, and gets no credentials.
        http.head(tls).send().await.is_err()
            && http.head(plain).send().await.is_ok_and(|answer| answer.status() != StatusCode::BAD_REQUEST)
    }

    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    /// Registry and repository, as the user wrote them.
    pub(super) fn full_name(&self) -> String {
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
        self.base.join(path).map_err(|error| self.answer(format!("{path} is not a valid address: {error}")))
    }

    /// Whether an address is one of this registry's own.
    pub(super) fn owns(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// What the host of an address is called: this registry as the user wrote it, any other as it is.
    pub(super) fn called(&self, url: &Url) -> String {
        match (url.host_str(), url.port()) {
            _ if self.owns(url) => self.name.clone(),
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        }
    }

    /// A client that follows no redirects: for what must reach nobody else.
    pub(super) fn direct(&self) -> &reqwest::Client {
        &self.clients.direct
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
        let request = Request::get(url, headers);
        self.read_with_retries(limit, async || {
            let answer = self.send(&request).await?;
            if answer.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            let answer = self.expect_status(answer, &[StatusCode::OK]).await?;
            self.no_web_page(&answer)?;
            Ok(Some(answer))
        })
        .await
    }

    /// Reads an answer whole, and asks again where the connection ended before it did.
    ///
    /// # Errors
    /// Those of `ask`, and when the answer has more than `limit` bytes.
    pub(super) async fn read_with_retries(
        &self,
        limit: u64,
        mut ask: impl AsyncFnMut() -> Result<Option<Response>, Error>,
    ) -> Result<Option<Document>, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let Some(answer) = ask().await? else { return Ok(None) };
            let (headers, url) = (answer.headers().clone(), answer.url().clone());
            match read(answer, limit).await {
                Ok(bytes) => return Ok(Some(Document { headers, bytes, url })),
                Err(Cut::TooLong) => {
                    let what = format!("it answers {} with more than {limit} bytes", url.path());
                    return Err(Error::Answer { host: self.called(&url), what });
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
    pub(super) async fn blob(&self, url: Url, offset: u64) -> Result<Response, Error> {
        let mut headers = HeaderMap::new();
        if offset > 0 {
            headers.insert(
                RANGE,
                HeaderValue::from_str(&format!("bytes={offset}-"))
                    .unwrap_or(HeaderValue::from_static("bytes=0-")),
            );
        }
        let answer = self.send(&Request::get(url, headers)).await?;
        let answer = self.expect_status(answer, &[StatusCode::OK, StatusCode::PARTIAL_CONTENT]).await?;
        self.no_web_page(&answer)?;
        Ok(answer)
    }

    /// Sends a request until it is answered by something that a later one would not be answered otherwise by.
    ///
    /// # Errors
    /// When the registry cannot be reached, or nobody gives a token for it.
    pub(super) async fn send(&self, request: &Request) -> Result<Response, Error> {
        self.persist(async || self.send_once(request).await).await
    }

    /// Sends a request, and once more where the registry wants to see another authorization.
    ///
    /// # Errors
    /// When nobody gives a token for it. That it cannot be reached is what it gives back.
    pub(super) async fn send_once(&self, request: &Request) -> Result<reqwest::Result<Response>, Error> {
        let answer = match self.attempt(request).await {
            // What another host asks for, behind a redirect, is none of this registry's user's business.
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED && self.owns(answer.url()) => answer,
            other => return Ok(other),
        };
        let authorization = token::authorize(self, &challenges(answer.headers()), request.actions).await?;
        let Some(authorization) = authorization else { return Ok(Ok(answer)) };
        self.authorizations.lock().await.insert(request.actions, authorization);
        Ok(self.attempt(request).await)
    }

    async fn attempt(&self, request: &Request) -> reqwest::Result<Response> {
        let Request { method, url, headers, body, actions } = request;
        let client = if body.is_some() { &self.clients.direct } else { &self.clients.following };
        let mut sent = client.request(method.clone(), url.clone()).headers(headers.clone());
        if let Some(body) = body {
            let time = ANSWER + Duration::from_secs(body.len() as u64 / SLOWEST);
            sent = sent.timeout(time).body(body.clone());
        }
        // A redirect's target gets none of it: reqwest takes it away between hosts.
        let authorization = self.authorizations.lock().await.get(actions).cloned();
        if let Some(authorization) = authorization.filter(|_| self.owns(url)) {
            sent = sent.header(AUTHORIZATION, authorization);
        }
        sent.send().await
    }

    /// Does something again as long as that may help, and gives the answer that stands.
    ///
    /// # Errors
    /// Those of `send`, and when a host cannot be reached or asks for too much patience.
    pub(super) async fn persist(
        &self,
        mut send: impl AsyncFnMut() -> Result<reqwest::Result<Response>, Error>,
    ) -> Result<Response, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let wait = match send().await? {
                Ok(answer) if tries < TRIES && may_pass(answer.status()) => {
                    let wait = asked_to_wait(answer.headers()).unwrap_or(back_off(tries));
                    if wait > PATIENCE {
                        let what = format!("it requests a pause of {} seconds", wait.as_secs());
                        return Err(Error::Answer { host: self.called(answer.url()), what });
                    }
                    wait
                }
                Ok(answer) => return Ok(answer),
                Err(error) if tries < TRIES && !self.is_final(&error) => back_off(tries),
                Err(error) => return Err(self.unreachable(&error)),
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Turns an answer that was not hoped for into an error.
    pub(super) async fn expect_status(
        &self,
        answer: Response,
        expected: &[StatusCode],
    ) -> Result<Response, Error> {
        let status = answer.status();
        if expected.contains(&status) {
            return Ok(answer);
        }
        let url = answer.url().clone();
        let said = said(answer).await;
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.owns(&url) => {
                self.denied(Actions::Pull, &said)
            }
            _ => Error::Status { host: self.called(&url), path: url.path().to_owned(), status, said },
        })
    }

    /// The refusal of what the user may not do, with the registry's own words.
    pub(super) fn denied(&self, actions: Actions, said: &str) -> Error {
        let what = if actions == Actions::PullPush { "to push, " } else { "" };
        Error::Denied {
            repository: self.full_name(),
            what: format!("{what}{}{said}", self.credentials.who()),
            login: self.name.clone(),
            unknown: self.credentials.unknown().cloned(),
        }
    }

    /// Refuses what a login page or a proxy answers with, whatever its status.
    pub(super) fn no_web_page(&self, answer: &Response) -> Result<(), Error> {
        let media_type =
            answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if media_type.starts_with("text/html") {
            return Err(Error::WebPage { host: self.name.clone() });
        }
        Ok(())
    }

    /// Returns whether the next try would end the same way.
    fn is_final(&self, error: &reqwest::Error) -> bool {
        is_final(error) || error.url().is_some_and(|url| self.clients.proxies.to(url).is_err())
    }

    /// An error of the connection, to this registry or to whom it has sent us.
    pub(super) fn unreachable(&self, error: &reqwest::Error) -> Error {
        let (mut way, mut what, mut obstacle) = (String::new(), innermost(error), Obstacle::of(error));
        match error.url().map(|url| self.clients.proxies.to(url)) {
            Some(Ok(Some(proxy))) => {
                way = format!(" through the proxy {proxy} of {}", proxy.source());
                if obstacle == Obstacle::Other {
                    obstacle = Obstacle::Proxy(proxy.source());
                }
            }
            Some(Err(error)) => {
                what = error.to_string();
                obstacle = Obstacle::Proxy(error.from());
            }
            Some(Ok(None)) | None => {}
        }
        Error::Unreachable {
            host: error.url().map_or_else(|| self.name.clone(), |url| self.called(url)),
            registry: self.name.clone(),
            what: format!("{way}: {what}"),
            obstacle,
        }
    }
}

impl Request {
    fn get(url: Url, headers: HeaderMap) -> Self {
        Self { method: Method::GET, url, headers, body: None, actions: Actions::Pull }
    }
}

/// Why an answer could not be read whole.
enum Cut {
    /// The connection ended.
    Off(reqwest::Error),
    /// It is longer than it may be.
    TooLong,
}

/// Reads an answer of at most `limit` bytes.
async fn read(mut answer: Response, limit: u64) -> Result<Bytes, Cut> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(Cut::Off)? {
        if (bytes.len() + chunk.len()) as u64 > limit {
            return Err(Cut::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// The registry's own words for an error, as the end of a message.
pub(super) async fn said(answer: Response) -> String {
    let reason = read(answer, ERROR).await.ok().and_then(|bytes| reason(&bytes));
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
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

/// Whether an address can only lead to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A header that carries a secret.
pub(super) fn secret(value: &Zeroizing<String>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
