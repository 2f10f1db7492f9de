//! The responses to refused guests: a Kubernetes `Status`, like the API server's own, so that client
//! libraries print it well.

use ::http::{Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::Body;
use super::failure::Failure;
use crate::defence::Defence;
use crate::policy::{Limit, Reason, Refusal};

/// Returns the response to a refused request, or `None` if it named no endpoint that could answer.
pub(super) fn to(refusal: &Refusal) -> Option<Response<Body>> {
    let nobody = matches!(refusal.reason(), Reason::Destination | Reason::PrivateAddress(_));
    (!nobody).then(|| of(refusal))
}

/// Returns the response to a refused request, whatever it named: on a socket there is no other way to refuse.
pub(super) fn of(refusal: &Refusal) -> Response<Body> {
    let (status, reason) = match refusal.reason() {
        // Not 503, which kube-rs and others take for a word to wait and try again: for minutes.
        Reason::NoCluster(_) | Reason::BrokenContext { .. } => {
            (StatusCode::BAD_GATEWAY, "ServiceUnavailable")
        }
        Reason::Ambiguous(_) => (StatusCode::BAD_REQUEST, "BadRequest"),
        Reason::Context { .. }
        | Reason::Destination
        | Reason::Policy { .. }
        | Reason::PrivateAddress(_)
        | Reason::SpeaksAs(_)
        | Reason::SpeaksOver(_)
        | Reason::Unrecorded => (StatusCode::FORBIDDEN, "Forbidden"),
        Reason::Limit(Limit::HeaderCount | Limit::Headers(_)) => {
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "RequestHeaderFieldsTooLarge")
        }
        Reason::Limit(_) => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
    };
    // Where a kubeconfig was looked for, and its errors, are for the user and not for the guest.
    let told = match refusal.reason() {
        Reason::NoCluster(_) if Defence::RefusalTexts.stands() => "no cluster is selected".to_owned(),
        Reason::BrokenContext { name, .. } => format!("the context {name:?} does not lead to a cluster"),
        _ => refusal.to_string(),
    };
    // https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
    // As the API server's own refusals have it, for clients that look at more than the message.
    let details =
        refusal.info().map(|info| json!({"name": info.name, "group": info.api_group, "kind": info.resource}));
    response(status, reason, &format!("refused by kwasm: {told}"), &details.unwrap_or_default())
}

/// Returns the response to a request that was sent and failed.
pub(super) fn failed(failure: &Failure) -> Response<Body> {
    let (status, reason) = if failure.is_timeout() {
        (StatusCode::GATEWAY_TIMEOUT, "Timeout")
    } else {
        (StatusCode::BAD_GATEWAY, "ServiceUnavailable")
    };
    response(status, reason, &format!("kwasm got no response: {}", failure.explained()), &Value::Null)
}

/// Returns the response to a request whose target is not a path.
pub(super) fn no_path() -> Response<Body> {
    let message = "refused by kwasm: its path does not begin with a slash";
    response(StatusCode::BAD_REQUEST, "BadRequest", message, &Value::Null)
}

fn response(status: StatusCode, reason: &str, message: &str, details: &Value) -> Response<Body> {
    let text = json!({
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": status.as_u16(),
    })
    .to_string();
    let length = text.len();
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}
