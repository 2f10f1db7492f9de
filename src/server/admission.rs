//! Reviews of an admission webhook: what comes must be one, and what a component answers must be a verdict about it.
//!
//! A component is not trusted to keep to the API ([`admission.k8s.io/v1`][1]): a wrong answer is an error, which the webhook's
//! `failurePolicy` decides about, and never an admission.
//!
//! [1]: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response

use std::time::Duration;

use crate::policy::duration;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;

/// The largest review in bytes. An API server takes requests of 3 MiB, and a review has the old object beside the new one.
const LONGEST: usize = 16 << 20;

/// The largest answer in bytes: a patch may replace the whole object, in base64.
const LONGEST_ANSWER: usize = 8 << 20;

const VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

/// What a webhook may do with what it reviews.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Webhook {
    /// Admit or deny it.
    Validating,
    /// Change it, too.
    Mutating,
}

/// A review that was asked for.
#[derive(Debug)]
pub(super) struct Review {
    uid: String,
    /// The time after which the API server does not wait any more.
    time: Option<Duration>,
    pub(super) content: Bytes,
}

/// The reason why a request is no review, for who sent it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct NoReview(pub(super) StatusCode, pub(super) String);

/// A document that asks. Neither it nor an answer is kept as a tree, which would take many times its size.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Question {
    api_version: String,
    kind: String,
    request: Option<Asked>,
}

/// A document that answers. It may repeat what was asked.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reply {
    api_version: String,
    kind: String,
    response: Option<Answered>,
}

/// An operation of a patch, of which only the form matters.
#[derive(Deserialize)]
struct Step {
    #[expect(dead_code, reason = "only its type matters")]
    op: String,
    #[expect(dead_code, reason = "only its type matters")]
    path: String,
}

fn is_review(version: &str, kind: &str) -> bool {
    (version, kind) == (VERSION, KIND)
}

#[derive(Deserialize)]
struct Asked {
    uid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    uid: String,
    allowed: bool,
    status: Option<Status>,
    warnings: Option<Vec<String>>,
    patch_type: Option<String>,
    patch: Option<String>,
}

/// The parts of a `Status` whose types the API server insists on.
#[derive(Deserialize)]
struct Status {
    #[expect(dead_code, reason = "only its type matters")]
    message: Option<String>,
    #[expect(dead_code, reason = "only its type matters")]
    code: Option<i32>,
}

impl Review {
    /// Reads a review.
    ///
    /// # Errors
    /// If it is none, with the status for its sender.
    pub(super) async fn read<B>(parts: &Parts, body: B) -> Result<Self, NoReview>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let refuse = |status, why: &str| NoReview(status, format!("{why}\n"));
        if parts.method != Method::POST {
            return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "reviews are sent by POST"));
        }
        let content = Limited::new(body, LONGEST).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                refuse(StatusCode::PAYLOAD_TOO_LARGE, "the review is larger than 16 MiB")
            } else {
                refuse(StatusCode::BAD_REQUEST, "the review breaks off")
            }
        })?;
        let content = content.to_bytes();
        let question: Question = serde_json::from_slice(&content)
            .map_err(|error| refuse(StatusCode::BAD_REQUEST, &format!("it is not a review: {error}")))?;
        if !is_review(&question.api_version, &question.kind) {
            let Question { api_version, kind, .. } = question;
            let why = format!("`{kind}` of `{api_version}` is not {KIND} of {VERSION}");
            return Err(refuse(StatusCode::BAD_REQUEST, &why));
        }
        let Asked { uid } =
            question.request.ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "the review has no request"))?;
        Ok(Self { uid, time: time(parts.uri.query().unwrap_or_default()), content })
    }

    /// Returns the time for an answer: a little less than what the API server waits, so that it learns why there is none.
    pub(super) fn time(&self, deadline: Duration) -> Duration {
        const MARGIN: Duration = Duration::from_millis(500);
        self.time.map_or(deadline, |time| deadline.min(time.mul_f64(0.9).min(time.saturating_sub(MARGIN))))
    }

    /// Reads a component's answer, and checks that it is a verdict about this review. Returns it, and whether it admits.
    ///
    /// # Errors
    /// The reason why it is none.
    pub(super) async fn verdict<B>(
        &self,
        webhook: Webhook,
        status: StatusCode,
        body: B,
    ) -> Result<(Bytes, bool), String>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        if status != StatusCode::OK {
            return Err(format!("its status is {}", status.as_u16()));
        }
        let content = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { "it is larger than 8 MiB" } else { "it breaks off" }
        })?;
        let content = content.to_bytes();
        let allowed = self.check(webhook, &content)?;
        Ok((content, allowed))
    }

    fn check(&self, webhook: Webhook, content: &[u8]) -> Result<bool, String> {
        let reply: Reply =
            serde_json::from_slice(content).map_err(|error| format!("it is not a review: {error}"))?;
        if !is_review(&reply.api_version, &reply.kind) {
            return Err(format!("it is not {KIND} of {VERSION}"));
        }
        let answer = reply.response.ok_or("it has no response")?;
        if answer.uid != self.uid {
            return Err("it is about another review: its uid differs".to_owned());
        }
        match (answer.patch_type.as_deref(), answer.patch) {
            (None, None) => {}
            _ if webhook == Webhook::Validating => {
                return Err("it has a patch, and the webhook only validates".to_owned());
            }
            (Some("JSONPatch"), Some(patch)) => check_patch(&patch)?,
            _ => return Err("a patch has both: `patch`, and `patchType: JSONPatch`".to_owned()),
        }
        // They were read for their types alone.
        drop((answer.status, answer.warnings));
        Ok(answer.allowed)
    }
}

/// Checks that a patch is a list of operations, in base64.
fn check_patch(patch: &str) -> Result<(), String> {
    let text = BASE64_STANDARD.decode(patch).map_err(|_| "its patch is not base64")?;
    let steps: Result<Vec<Step>, _> = serde_json::from_slice(&text);
    steps.map(drop).map_err(|error| format!("its patch is not a list of operations: {error}"))
}

/// Reads how long an API server waits, which it says in the query: `timeout=10s`.
fn time(query: &str) -> Option<Duration> {
    query.split('&').find_map(|pair| pair.strip_prefix("timeout=")).and_then(duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    async fn read(uri: &str, body: &str) -> Result<Review, NoReview> {
        let (parts, ()) = http::Request::post(uri).body(()).unwrap().into_parts();
        Review::read(&parts, Full::new(Bytes::from(body.to_owned()))).await
    }

    const ASKED: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","object":null}}"#;

    async fn verdict(webhook: Webhook, response: &str) -> Result<bool, String> {
        let review = read("/", ASKED).await.unwrap();
        let text = format!(
            r#"{{"response":{response},"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}}"#
        );
        let (_, allowed) = review.verdict(webhook, StatusCode::OK, Full::new(Bytes::from(text))).await?;
        Ok(allowed)
    }

    #[tokio::test]
    async fn a_verdict_is_about_the_review_and_whole() {
        let validating = |response: &'static str| verdict(Webhook::Validating, response);
        assert_eq!(validating(r#"{"uid":"1","allowed":true,"warnings":["a"]}"#).await, Ok(true));
        let denial = r#"{"uid":"1","allowed":false,"status":{"code":403,"message":"no"}}"#;
        assert_eq!(validating(denial).await, Ok(false));
        let repeated = r#"{"uid":"1","allowed":true},"request":{"uid":"1","object":{}}"#;
        assert_eq!(validating(repeated).await, Ok(true));
        for (response, why) in [
            (r#"{"uid":"2","allowed":true}"#, "it is about another review: its uid differs"),
            (r#"{"uid":"1"}"#, "it is not a review: missing field `allowed`"),
            (r#"{"uid":"1","allowed":"true"}"#, "it is not a review: invalid type: string"),
            (r#"{"uid":"1","allowed":true,"warnings":"a"}"#, "it is not a review: invalid type: string"),
            ("null", "it has no response"),
            (r#"{"uid":"1","allowed":true,"patch":"W10=","patchType":"JSONPatch"}"#, "only validates"),
        ] {
            let found = validating(response).await.unwrap_err();
            assert!(found.contains(why), "{response}: {found}");
        }
        let review = read("/", ASKED).await.unwrap();
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let empty = Full::new(Bytes::new());
        assert_eq!(review.verdict(Webhook::Mutating, status, empty).await.unwrap_err(), "its status is 500");
    }

    #[tokio::test]
    async fn a_patch_is_a_list_of_operations() {
        let patched = |patch: &str, kind: &str| {
            let patch = BASE64_STANDARD.encode(patch);
            let response = format!(r#"{{"uid":"1","allowed":true,"patch":"{patch}","patchType":"{kind}"}}"#);
            async move { verdict(Webhook::Mutating, &response).await }
        };
        assert_eq!(patched(r#"[{"op":"add","path":"/a","value":1}]"#, "JSONPatch").await, Ok(true));
        for (patch, kind) in [("{}", "JSONPatch"), (r#"[{"op":1}]"#, "JSONPatch"), ("[]", "MergePatch")] {
            assert!(patched(patch, kind).await.is_err(), "{patch}");
        }
    }

    #[tokio::test]
    async fn what_is_no_review_is_told_to_its_sender() {
        for (body, status, why) in [
            ("", 400, "it is not a review: "),
            (r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}"#, 400, "v1beta1"),
            (r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#, 400, "no request"),
        ] {
            let NoReview(found, text) = read("/", body).await.unwrap_err();
            assert!(found.as_u16() == status && text.contains(why), "{body}: {text}");
        }
        let NoReview(status, _) = read("/", &format!("{}{ASKED}", " ".repeat(LONGEST))).await.unwrap_err();
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn an_answer_comes_before_the_api_server_gives_up() {
        let minute = Duration::from_mins(1);
        assert_eq!(read("/?timeout=10s", ASKED).await.unwrap().time(minute), Duration::from_secs(9));
        assert_eq!(
            read("/?timeout=10s", ASKED).await.unwrap().time(Duration::from_secs(2)),
            Duration::from_secs(2)
        );
        assert_eq!(read("/?timeout=x", ASKED).await.unwrap().time(minute), minute);
    }
}
