//! The API server's own report of the user, for `kwasm cluster --check`, through the same gate as any plugin.

use ::http::{Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::body::BodyError;
use super::{Body, Gate, Reach, Timeouts};
use crate::cluster::Authentication;
use crate::message::Message;
use crate::platform::Signals;

/// The server's answers.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// The version, e.g. `v1.36.3`; `None` if the server does not reveal it to everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The user's name at the server; `None` if the server is too old to report it (before 1.28).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The user's groups.
    pub groups: Vec<String>,
}

/// The largest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// The path of
/// [SelfSubjectReview](https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/).
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const REVIEW: &str = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;

/// The hint for an answer that is not an API server's.
const ADDRESS: &str = "check server of this cluster in the kubeconfig, including its path";

/// The result of a request.
enum Answer {
    Given(Value),
    /// The server does not have it, or not for this user.
    Withheld {
        status: StatusCode,
        why: String,
    },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserInfo {
    username: Option<String>,
    groups: Vec<String>,
}

impl Gate {
    /// Requests the version and the user from the selected context's server, and ends the gate. Returns
    /// `None` if the user interrupted it.
    ///
    /// # Errors
    /// The reasons why it does not answer.
    pub fn check(&self) -> Result<Option<Checked>, Vec<Message>> {
        let unstarted = |error| told(format!("the check cannot be started: {error}"), None);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unstarted)?;
        runtime.block_on(async {
            let mut signals = Signals::listen().map_err(unstarted)?;
            let checked = tokio::select! {
                biased;
                () = signals.came() => Ok(None),
                checked = self.checked() => checked.map(Some),
            };
            self.end();
            self.settled().await;
            checked
        })
    }

    async fn checked(&self) -> Result<Checked, Vec<Message>> {
        let version = match self.ask(Method::GET, "/version", "").await? {
            Answer::Given(version) => version["gitVersion"].as_str().map(str::to_owned),
            Answer::Withheld { .. } => None,
        };
        let UserInfo { username, groups } = match self.ask(Method::POST, REVIEWS, REVIEW).await? {
            Answer::Given(review) => {
                serde_json::from_value(review["status"]["userInfo"].clone()).unwrap_or_default()
            }
            Answer::Withheld { status: StatusCode::NOT_FOUND, .. } => UserInfo::default(),
            Answer::Withheld { why, .. } => return Err(self.unreported_user(&why)),
        };
        Ok(Checked { version, username, groups })
    }

    /// Sends one request and returns its answer.
    async fn ask(&self, method: Method, path: &str, body: &'static str) -> Result<Answer, Vec<Message>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://192.0.2.1{path}"))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_LENGTH, body.len())
            .body(
                Full::new(Bytes::from_static(body.as_bytes())).map_err(|never| match never {}).boxed_unsync(),
            );
        let request = request.map_err(|error| told(format!("{path}: {error}"), None))?;
        let answer = self.pass(request, Timeouts::default(), &self.lifetime()).await;
        let Ok(answer) = answer else { return Err(self.report()) };
        let status = answer.status();
        match status {
            StatusCode::OK | StatusCode::CREATED => {
                match read(answer).await.map(|bytes| serde_json::from_slice(&bytes)) {
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
                let why = words(&read(answer).await.unwrap_or_default());
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

    /// Explains why the server does not report the user, which every known user may request.
    fn unreported_user(&self, why: &str) -> Vec<Message> {
        let cluster = self.0.clusters.first().map(|reach| &reach.cluster);
        let hint = match cluster {
            Some(cluster) if cluster.impersonation().is_some() => {
                "impersonation (--as, or `as` in the kubeconfig) requires the verb `impersonate` in the cluster"
            }
            Some(cluster) if cluster.credentials().authentication() == Authentication::None => {
                "the kubeconfig has no credentials for its user: kubectl config set-credentials NAME adds them"
            }
            _ => ADDRESS,
        };
        self.at(&format!("it does not report the user: {why}"), Some(hint))
    }

    /// Returns a message about the selected context's server.
    fn at(&self, what: &str, hint: Option<&str>) -> Vec<Message> {
        let label = self.0.clusters.first().map_or_else(String::new, Reach::label);
        told(format!("{label}: {what}"), hint)
    }
}

fn told(text: String, hint: Option<&str>) -> Vec<Message> {
    vec![Message { text, hint: hint.map(str::to_owned) }]
}

async fn read(answer: Response<Body>) -> Result<Bytes, BodyError> {
    Ok(Limited::new(answer.into_body(), LONGEST).collect().await?.to_bytes())
}

/// Returns a server's own error message: that of a `Status`, or the first line of a text.
fn words(answer: &[u8]) -> String {
    let status: Value = serde_json::from_slice(answer).unwrap_or_default();
    let text = String::from_utf8_lossy(answer);
    let said = status["message"].as_str().or_else(|| text.lines().next()).unwrap_or_default().trim();
    let said: String = said.chars().take(200).collect();
    if said.is_empty() { "it gives no reason".to_owned() } else { said }
}
