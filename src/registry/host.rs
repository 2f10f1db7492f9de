//! One registry over HTTP: each request authorised, retried where that may help, each answer bounded.

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
    /// What the registry takes for the credentials, as a value of `Authorization`: for each that is to be done, its own.
    authorizations: Mutex<BTreeMap<Actions, HeaderValue>>,
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

/// The slowest that anything is sent, in bytes a second.
const SLOWEST: u64 = 32 << 10;

/// The longest wait for an answer to what is sent in no time.
const ANSWER: Duration = Duration::from_mins(1);

impl Host {
    /// Finds out how a registry is reached: [`Server::open`].
    ///
    /// # Errors
    /// When the configuration for it cannot be used.
    pub(super) async fn open(reach: Reach, name: &str, repository: &str) -> Result<Self, Error> {
        Ok(Self { server: Server::open(reach, name, repository).await?, authorizations: Mutex::default() })
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
        let answer =
            self.server.expect_status(answer, &[StatusCode::OK, StatusCode::PARTIAL_CONTENT]).await?;
        self.server.no_web_page(&answer)?;
        Ok(answer)
    }

    /// Sends a request until it is answered by something that a later one would not be answered otherwise by.
    ///
    /// # Errors
    /// When the registry cannot be reached, or nobody gives a token for it.
    pub(super) async fn send(&self, request: &Request) -> Result<Response, Error> {
        self.server.persist(async || self.send_once(request).await).await
    }

    /// Sends a request, and once more where the registry wants to see another authorization.
    ///
    /// # Errors
    /// When nobody gives a token for it. That it cannot be reached is what it gives back.
    pub(super) async fn send_once(&self, request: &Request) -> Result<reqwest::Result<Response>, Error> {
        let answer = match self.attempt(request).await {
            // What another host asks for, behind a redirect, is none of this registry's user's business.
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
