//! What a refused guest is told: a Kubernetes `Status`, as the API server itself would, so that its client library
//! prints it well.

use ::http::{Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::json;

use super::Body;
use crate::defence::{Defence, stands};
use crate::policy::{Limit, Reason, Refusal};

/// The response to a refused request; `None` when it named no endpoint that could answer.
pub(super) fn to(refusal: &Refusal) -> Option<Response<Body>> {
    let (status, reason) = match refusal.reason() {
        Reason::Destination | Reason::PrivateAddress(_) => return None,
        Reason::NoCluster(_) => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
        Reason::Ambiguous(_) => (StatusCode::BAD_REQUEST, "BadRequest"),
        Reason::SpeaksAs(_) | Reason::Policy(_) => (StatusCode::FORBIDDEN, "Forbidden"),
        Reason::Limit(Limit::HeaderCount | Limit::Headers(_)) => {
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "RequestHeaderFieldsTooLarge")
        }
        Reason::Limit(_) => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
    };
    // Where a kubeconfig was looked for is the user's to know, and not the guest's.
    let told = match refusal.reason() {
        Reason::NoCluster(_) if stands(Defence::RefusalTexts) => "no cluster is selected".to_owned(),
        _ => refusal.to_string(),
    };
    // https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
    // As the API server's own refusals have it, for clients that look at more than the message.
    let details =
        refusal.info().map(|info| json!({"name": info.name, "group": info.api_group, "kind": info.resource}));
    let text = json!({
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Failure",
        "message": format!("refused by kwasm: {told}"),
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
    Some(response)
}
