//! The server of a repository: its addresses, and responses that are limited in size, retried if that may
//! help, and always attributed to a host in errors.

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

/// A repository's registry, its connection, and the user's credentials there.
pub(super) struct Server {
    /// The name as the user wrote it.
    name: String,
    /// The address of its API, with a trailing slash.
    base: Url,
    repository: String,
    pub(super) clients: Clients,
    pub(super) credentials: Credentials,
}

/// The actions in a repository, by their names in tokens.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Actions {
    Pull,
    PullPush,
}

/// A response that was read completely.
pub(super) struct Document {
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
    /// The address that it came from, after redirects.
    pub(super) url: Url,
}

/// The number of times that a request is sent before giving up.
pub(super) const TRIES: u32 = 5;

/// The longest delay that a registry may request.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest error message that is read, in bytes.
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
    /// Finds out how to reach a registry. Sends a request only to one on this machine, which may speak HTTP
    /// without TLS.
    ///
    /// # Errors
    /// If its configuration cannot be used.
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

    /// Returns whether a registry on this machine responds with HTTP to a TLS connection.
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

    /// Returns registry and repository as the user wrote them.
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.name, self.repository)
    }

    /// Returns whether it is reached without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.base.scheme() == "http"
    }

    /// Returns an address in this repository, e.g. of `manifests/latest`.
    pub(super) fn url(&self, path: &str) -> Result<Url, Error> {
        self.root(&format!("v2/{}/{path}", self.repository))
    }

    /// Returns an address in this registry.
    pub(super) fn root(&self, path: &str) -> Result<Url, Error> {
        self.base.join(path).map_err(|error| self.answer(format!("{path} is not a valid address: {error}")))
    }

    /// Returns whether an address belongs to this registry.
    pub(super) fn owns(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// Returns the name of an address's host: for this registry as the user wrote it, for others unchanged.
    pub(super) fn called(&self, url: &Url) -> String {
        match (url.host_str(), url.port()) {
            _ if self.owns(url) => self.name.clone(),
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        }
    }

    /// Returns a client that does not follow redirects, for requests that no other host may see.
    pub(super) fn direct(&self) -> &reqwest::Client {
        &self.clients.direct
    }

    /// Returns an error about a response of this registry.
    pub(super) fn answer(&self, what: String) -> Error {
        Error::Answer { host: self.name.clone(), what }
    }

    /// Reads a response as a whole, and repeats the request if the connection ends too early.
    ///
    /// # Errors
    /// The errors of `ask`, and an error if the response has more than `limit` bytes.
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

    /// Repeats an operation as long as that may help, and returns the final response.
    ///
    /// # Errors
    /// The errors of `send`, and an error if a host cannot be reached or requests too long a delay.
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

    /// Turns an unexpected response into an error.
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

    /// Returns the error for a request that the user may not make, with the registry's own message.
    pub(super) fn denied(&self, actions: Actions, said: &str) -> Error {
        let what = if actions == Actions::PullPush { "to push, " } else { "" };
        Error::Denied {
            repository: self.full_name(),
            what: format!("{what}{}{said}", self.credentials.who()),
            login: self.name.clone(),
            unknown: self.credentials.unknown().cloned(),
        }
    }

    /// Refuses the response of a login page or a proxy, whatever its status.
    pub(super) fn no_web_page(&self, answer: &Response) -> Result<(), Error> {
        let media_type =
            answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if media_type.starts_with("text/html") {
            return Err(Error::WebPage { host: self.name.clone() });
        }
        Ok(())
    }

    /// Returns whether another try would end in the same way.
    fn is_final(&self, error: &reqwest::Error) -> bool {
        is_final(error) || error.url().is_some_and(|url| self.clients.proxies.to(url).is_err())
    }

    /// Returns an error of the connection to this registry, or to the host that it redirected to.
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

/// The reason why a response could not be read completely.
enum Cut {
    /// The connection ended.
    Off(reqwest::Error),
    /// The response exceeds the limit.
    TooLong,
}

/// Reads a response of at most `limit` bytes.
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

/// Returns the registry's own error message, as the end of a message.
pub(super) async fn said(answer: Response) -> String {
    let reason = read(answer, ERROR).await.ok().and_then(|bytes| reason(&bytes));
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

/// Returns the codes and messages of a registry's error ([distribution specification][1]).
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
fn reason(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = body.get("errors")?.as_array()?.first()?;
    let text = |key: &str| error.get(key).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
    let said = text("message").or_else(|| text("code"))?;
    Some(said.chars().take(300).collect())
}

/// Returns whether the same request may succeed a little later.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// Returns the delay before the next try: 0.2 s, 0.6 s, 1.8 s, …
pub(super) fn back_off(tries: u32) -> Duration {
    Duration::from_millis(200) * 3_u32.saturating_pow(tries.saturating_sub(1))
}

/// Returns whether an address can only lead to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns a header value that is marked as secret.
pub(super) fn secret(value: &Zeroizing<String>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
