//! What a refused guest is told: a Kubernetes `Status`, as the API server itself would, so that its client library
//! prints it well.

use ::http::{Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::json;

use super::Body;
use crate::policy::{Reason, Refusal};

/// The response to a refused request; `None` when it named no endpoint that could answer.
pub(super) fn to(refusal: &Refusal) -> Option<Response<Body>> {
    let (status, reason) = match refusal.reason() {
        Reason::Destination => return None,
        Reason::NoCluster(_) => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
        Reason::Ambiguous(_) => (StatusCode::BAD_REQUEST, "BadRequest"),
        Reason::SpeaksAs(_) | Reason::Policy(_) => (StatusCode::FORBIDDEN, "Forbidden"),
    };
    // Where a kubeconfig was looked for is the user's to know, and not the guest's.
    let told = match refusal.reason() {
        Reason::NoCluster(_) => "no cluster is selected".to_owned(),
        _ => refusal.to_string(),
    };
    // https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
    let text = json!({
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Failure",
        "message": format!("refused by kwasm: {told}"),
        "reason": reason,
        "code": status.as_u16(),
    })
    .to_string();
    let length = text.len();
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    Some(response)
}
