//! kwasm's own requests to the selected context's server, through the same gate as any plugin's.

use std::future::Future;

use ::http::{Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use serde_json::Value;

use super::body::BodyError;
use super::{Body, Gate, Reach, Timeouts};
use crate::message::Message;
use crate::platform::Signals;

/// A request, whose answer is to be JSON.
pub(super) struct Question<'a> {
    method: Method,
    path: &'a str,
    body: &'static str,
    accept: &'static str,
    longest: usize,
}

impl<'a> Question<'a> {
    pub(super) fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, body: "", accept: "application/json", longest: 1 << 20 }
    }

    pub(super) fn post(path: &'a str, body: &'static str) -> Self {
        Self { method: Method::POST, body, ..Self::get(path) }
    }

    /// Returns it with the media types that it accepts, and the largest answer in bytes.
    pub(super) fn accepting(self, accept: &'static str, longest: usize) -> Self {
        Self { accept, longest, ..self }
    }
}

/// The result of a request.
pub(super) enum Answer {
    Given(Value),
    /// The server does not have it, or not for this user.
    Withheld {
        status: StatusCode,
        why: String,
    },
}

/// The hint for an answer that is not an API server's.
pub(super) const ADDRESS: &str = "check server of this cluster in the kubeconfig, including its path";

impl Gate {
    /// Makes requests, and ends the gate. Returns `None` if the user interrupted it.
    pub(super) fn perform<T>(
        &self,
        asking: impl Future<Output = Result<T, Vec<Message>>>,
    ) -> Result<Option<T>, Vec<Message>> {
        let unstarted = |error| failed(format!("the request cannot be made: {error}"), None);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unstarted)?;
        runtime.block_on(async {
            let mut signals = Signals::listen().map_err(unstarted)?;
            let answered = tokio::select! {
                biased;
                () = signals.came() => Ok(None),
                answered = asking => answered.map(Some),
            };
            self.end();
            self.settled().await;
            answered
        })
    }

    /// Sends one request and returns its answer.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<Answer, Vec<Message>> {
        let Question { method, path, body, accept, longest } = question;
        let request = Request::builder()
            .method(method)
            .uri(format!("http://192.0.2.1{path}"))
            .header(header::ACCEPT, accept)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_LENGTH, body.len())
            .body(
                Full::new(Bytes::from_static(body.as_bytes())).map_err(|never| match never {}).boxed_unsync(),
            );
        let request = request.map_err(|error| failed(format!("{path}: {error}"), None))?;
        let answer = self.pass(request, Timeouts::default(), &self.lifetime()).await;
        let Ok(answer) = answer else { return Err(self.report()) };
        let status = answer.status();
        match status {
            StatusCode::OK | StatusCode::CREATED => {
                match read(answer, longest).await.map(|bytes| serde_json::from_slice(&bytes)) {
                    Ok(Ok(value)) => Ok(Answer::Given(value)),
                    Ok(Err(_)) => Err(self.at("the server there is not an API server", Some(ADDRESS))),
                    Err(why) => Err(self.at(&format!("its response ended early: {why}"), None)),
                }
            }
            // The gate itself reports a refused credential.
            StatusCode::UNAUTHORIZED => Err(self.report()),
            _ if status.is_redirection() => {
                let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
                let location = location.unwrap_or("nowhere");
                Err(self.at(&format!("it redirects elsewhere ({status}): {location}"), Some(ADDRESS)))
            }
            _ => {
                let why = words(&read(answer, longest).await.unwrap_or_default());
                match status {
                    StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Ok(Answer::Withheld { status, why }),
                    // Go's net/http answers so.
                    StatusCode::BAD_REQUEST if why.contains("HTTP request to an HTTPS server") => Err(self
                        .at(
                            "it speaks TLS, and the request was in plain HTTP",
                            Some("did you mean https:// ?"),
                        )),
                    _ => Err(self.at(&format!("it answered {status}: {why}"), None)),
                }
            }
        }
    }

    /// Returns a message about the selected context's server.
    pub(super) fn at(&self, what: &str, hint: Option<&str>) -> Vec<Message> {
        let label = self.0.clusters.first().map_or_else(String::new, Reach::label);
        failed(format!("{label}: {what}"), hint)
    }
}

fn failed(text: String, hint: Option<&str>) -> Vec<Message> {
    vec![Message { text, hint: hint.map(str::to_owned) }]
}

async fn read(answer: Response<Body>, longest: usize) -> Result<Bytes, BodyError> {
    Ok(Limited::new(answer.into_body(), longest).collect().await?.to_bytes())
}

/// Returns a server's own error message: that of a `Status`, or the first line of a text.
fn words(answer: &[u8]) -> String {
    let status: Value = serde_json::from_slice(answer).unwrap_or_default();
    let text = String::from_utf8_lossy(answer);
    let said = status["message"].as_str().or_else(|| text.lines().next()).unwrap_or_default().trim();
    let said: String = said.chars().take(200).collect();
    if said.is_empty() { "it gives no reason".to_owned() } else { said }
}
