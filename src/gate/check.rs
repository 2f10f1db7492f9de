//! What the API server itself says of who asks: for `kwasm cluster --check`, through the same gate as any plugin.

use ::http::{Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Body, Gate, Line, Patience};

/// What the server answered.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Its version, e.g. `v1.36.3`; `None` where it does not tell everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// By which name it knows who asks; `None` where it is too old to say (before 1.28).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// And in which groups.
    pub groups: Vec<String>,
}

/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/>
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const REVIEW: &str = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;

/// What helps where the server does not say who asks.
const AS: Option<&str> = Some(
    "whoever impersonates (--as, or `as` in the kubeconfig) needs the verb `impersonate` in the cluster",
);

/// What came of a question.
enum Answer {
    Given(Value),
    /// The server does not have it, or does not give it to who asks.
    Withheld(StatusCode),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserInfo {
    username: Option<String>,
    groups: Vec<String>,
}

impl Gate {
    /// Asks the selected context's server for its version and for who asks.
    ///
    /// # Errors
    /// What there is to tell of why it does not answer.
    pub fn check(&self) -> Result<Checked, Vec<Line>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| told(format!("the check cannot be started: {error}"), None))?;
        runtime.block_on(async {
            let version = match self.ask(Method::GET, "/version", "").await? {
                Answer::Given(version) => version["gitVersion"].as_str().map(str::to_owned),
                Answer::Withheld(_) => None,
            };
            let UserInfo { username, groups } = match self.ask(Method::POST, REVIEWS, REVIEW).await? {
                Answer::Given(review) => {
                    serde_json::from_value(review["status"]["userInfo"].clone()).unwrap_or_default()
                }
                Answer::Withheld(StatusCode::NOT_FOUND) => UserInfo::default(),
                // Everybody may ask it, but who is nobody to the server, or impersonates without being let to.
                Answer::Withheld(_) => {
                    return Err(told("the server refuses to say who asks (403 Forbidden)".to_owned(), AS));
                }
            };
            Ok(Checked { version, username, groups })
        })
    }

    /// One request and its answer.
    async fn ask(&self, method: Method, path: &str, body: &'static str) -> Result<Answer, Vec<Line>> {
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
        let answer = self.pass(request, Patience::default(), &self.life()).await;
        let Ok(answer) = answer else { return Err(self.report()) };
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED => {
                read(answer).await.map(Answer::Given).map_err(|why| told(format!("{path}: {why}"), None))
            }
            status @ (StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => Ok(Answer::Withheld(status)),
            // Of a credential that is not accepted the gate tells by itself.
            StatusCode::UNAUTHORIZED => Err(self.report()),
            status => Err(told(format!("{path}: the server answered {status}"), None)),
        }
    }
}

fn told(text: String, hint: Option<&str>) -> Vec<Line> {
    vec![Line { text, hint: hint.map(str::to_owned) }]
}

async fn read(answer: Response<Body>) -> Result<Value, String> {
    let body = Limited::new(answer.into_body(), LONGEST);
    let bytes =
        body.collect().await.map_err(|error| format!("the server's answer broke off: {error}"))?.to_bytes();
    serde_json::from_slice(&bytes).map_err(|_| "the server's answer is none of an API server".to_owned())
}
