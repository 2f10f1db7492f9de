//! The server behind a repository: its addresses, and answers that are bounded, awaited where that may help, and never silent
//! about who gave them.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Response, Url};
use zeroize::Zeroizing;

use super::Error;
use super::connection::{Obstacle, innermost, is_final};
use super::credentials::Credentials;
use super::settings::{Clients, Reach};
use crate::reference::DOCKER_HUB;

/// A repository's registry, how it is reached, and who the user is there.
pub(super) struct Server {
    /// As the user wrote it.
    name: String,
    /// Where its API is, with a slash at its end.
    base: Url,
    repository: String,
    pub(super) clients: Clients,
    pub(super) credentials: Credentials,
}

/// What is to be done in a repository, as tokens name it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Actions {
    Pull,
    PullPush,
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

impl Actions {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::PullPush => "pull,push",
        }
    }
}

impl Server {
    /// Finds out how a registry is reached. Sends something only to one on this machine, which may speak HTTP without TLS.
    ///
    /// # Errors
    /// When the configuration for it cannot be used.
    pub(super) async fn open(reach: Reach, name: &str, repository: &str) -> Result<Self, Error> {
        let api = if name == DOCKER_HUB { "registry-1.docker.io" } else { name };
        let address = |scheme: &str| format!("{scheme}://{api}/").parse::<Url>();
        let base = address(if reach.plain { "http" } else { "https" })
            .map_err(|error| Error::Host { host: name.to_owned(), what: error.to_string() })?;
        let mut server = Self {
            name: name.to_owned(),
            base,
            repository: repository.to_owned(),
            clients: reach.clients,
            credentials: reach.credentials,
        };
        if !reach.protocol_is_set && is_loopback(&server.base) && server.speaks_plain().await {
            server.base = address("http").unwrap_or(server.base);
        }
        Ok(server)
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
