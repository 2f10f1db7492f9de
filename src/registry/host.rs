//! A registry over HTTP: requests are authorised, retried if that may help, and answers are limited in size.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, RANGE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Response, Url};
use tokio::sync::Mutex;

use super::server::{Actions, Document, Server};
use super::settings::Reach;
use super::{Error, token};

/// A repository of a registry, with the authorisation of requests to it.
pub(super) struct Host {
    pub(super) server: Server,
    /// The values of `Authorization` that the registry accepts, one for each kind of actions.
    authorizations: Mutex<BTreeMap<Actions, HeaderValue>>,
}

/// A request to a registry, which can be sent again.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// The body. A request with a body is not redirected, and its timeout depends on the body's size.
    pub(super) body: Option<Bytes>,
    pub(super) actions: Actions,
}

/// The lowest rate at which a body may be sent, in bytes per second.
const SLOWEST: u64 = 32 << 10;

/// The longest wait for a response, beyond the time to send the request.
const ANSWER: Duration = Duration::from_mins(1);

impl Host {
    /// Finds out how to reach a registry: [`Server::open`].
    ///
    /// # Errors
    /// If its configuration cannot be used.
    pub(super) async fn open(reach: Reach, name: &str, repository: &str) -> Result<Self, Error> {
        Ok(Self { server: Server::open(reach, name, repository).await?, authorizations: Mutex::default() })
    }

    /// Gets a document as a whole, or `None` if it does not exist.
    ///
    /// # Errors
    /// If the registry cannot be reached, refuses, or responds with more than `limit` bytes or with a web
    /// page.
    pub(super) async fn document(
        &self,
        url: Url,
        accept: &str,
        limit: u64,
    ) -> Result<Option<Document>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap_or(HeaderValue::from_static("*/*")));
        let request = Request::get(url, headers);
        self.server
            .read_with_retries(limit, async || {
                let answer = self.send(&request).await?;
                if answer.status() == StatusCode::NOT_FOUND {
                    return Ok(None);
                }
                let answer = self.server.expect_status(answer, &[StatusCode::OK]).await?;
                self.server.no_web_page(&answer)?;
                Ok(Some(answer))
            })
            .await
    }

    /// Gets a blob from its byte `offset` on, as a stream.
    ///
    /// # Errors
    /// The same as [`Self::document`].
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
        let answer =
            self.server.expect_status(answer, &[StatusCode::OK, StatusCode::PARTIAL_CONTENT]).await?;
        self.server.no_web_page(&answer)?;
        Ok(answer)
    }

    /// Sends a request, and repeats it as long as a later response may be different.
    ///
    /// # Errors
    /// If the registry cannot be reached, or no token is issued for it.
    pub(super) async fn send(&self, request: &Request) -> Result<Response, Error> {
        self.server.persist(async || self.send_once(request).await).await
    }

    /// Sends a request, and repeats it once if the registry requires another authorization.
    ///
    /// # Errors
    /// If no token is issued for it. A failed connection is returned as a value.
    pub(super) async fn send_once(&self, request: &Request) -> Result<reqwest::Result<Response>, Error> {
        let answer = match self.attempt(request).await {
            // A challenge of another host, after a redirect, must not be answered with this registry's login.
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED && self.server.owns(answer.url()) => {
                answer
            }
            other => return Ok(other),
        };
        let authorization =
            token::authorize(&self.server, &challenges(answer.headers()), request.actions).await?;
        let Some(authorization) = authorization else { return Ok(Ok(answer)) };
        self.authorizations.lock().await.insert(request.actions, authorization);
        Ok(self.attempt(request).await)
    }

    async fn attempt(&self, request: &Request) -> reqwest::Result<Response> {
        let Request { method, url, headers, body, actions } = request;
        let client =
            if body.is_some() { &self.server.clients.direct } else { &self.server.clients.following };
        let mut sent = client.request(method.clone(), url.clone()).headers(headers.clone());
        if let Some(body) = body {
            let time = ANSWER + Duration::from_secs(body.len() as u64 / SLOWEST);
            sent = sent.timeout(time).body(body.clone());
        }
        // A redirect's target gets none of it: reqwest takes it away between hosts.
        let authorization = self.authorizations.lock().await.get(actions).cloned();
        if let Some(authorization) = authorization.filter(|_| self.server.owns(url)) {
            sent = sent.header(AUTHORIZATION, authorization);
        }
        sent.send().await
    }
}

impl Request {
    fn get(url: Url, headers: HeaderMap) -> Self {
        Self { method: Method::GET, url, headers, body: None, actions: Actions::Pull }
    }
}

fn challenges(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()
}
