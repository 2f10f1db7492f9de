//! Refusals: every error a client sees is a Kubernetes `Status` object.

use std::fmt;

use serde_json::{Value, json};

/// The reason why a request was refused, as in the API server's `Status` object.
///
/// Codes, reasons and messages are the same as in `k8s.io/apimachinery/pkg/api/errors`.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    code: u16,
    reason: &'static str,
    message: String,
    details: Option<Value>,
}

impl Refused {
    /// Returns a refusal with Kubernetes' reason for this HTTP status.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self { code, reason: reason_for(code), message: message.into(), details: None }
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Returns the machine-readable reason, such as `NotFound`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Returns the `Status` object.
    #[must_use]
    pub fn to_status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    pub(crate) fn unknown_path() -> Self {
        Self {
            details: Some(json!({})),
            ..Self::new(404, "the server could not find the requested resource")
        }
    }

    pub(crate) fn not_found(plural: &str, name: &str) -> Self {
        Self::new(404, format!("{plural} \"{name}\" not found")).about(plural, name)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self {
            details: Some(json!({})),
            ..Self::new(405, "the server does not allow this method on the requested resource")
        }
    }

    pub(crate) fn already_exists(plural: &str, name: &str) -> Self {
        let refused = Self::new(409, format!("{plural} \"{name}\" already exists")).about(plural, name);
        Self { reason: "AlreadyExists", ..refused }
    }

    pub(crate) fn conflict(plural: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {plural} \"{name}\": {why}");
        Self::new(409, message).about(plural, name)
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, message)
    }

    pub(crate) fn unsupported_media_type(accepted: &str) -> Self {
        Self::new(
            415,
            format!(
                "the body of the request was in an unknown format - accepted media types include: {accepted}"
            ),
        )
    }

    /// Returns the refusal of an invalid field of an object; `kind` and `name` are the object's.
    pub(crate) fn invalid(kind: &str, name: &str, field: &str, problem: &str) -> Self {
        let refused = Self::new(422, format!("{kind} \"{name}\" is invalid: {field}: {problem}"));
        let cause = json!({ "reason": "FieldValueInvalid", "message": problem, "field": field });
        Self { details: Some(json!({ "name": name, "kind": kind, "causes": [cause] })), ..refused }
    }

    fn about(mut self, plural: &str, name: &str) -> Self {
        self.details = Some(json!({ "name": name, "kind": plural }));
        self
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.code, self.reason, self.message)
    }
}

impl std::error::Error for Refused {}

fn reason_for(code: u16) -> &'static str {
    match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        409 => "Conflict",
        410 => "Expired",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_and_an_existing_object_share_a_code_but_not_a_reason() {
        let exists = Refused::already_exists("secrets", "db");
        let conflict = Refused::conflict("secrets", "db", "modified");
        assert_eq!((exists.code(), exists.reason()), (409, "AlreadyExists"));
        assert_eq!((conflict.code(), conflict.reason()), (409, "Conflict"));
        assert_eq!(exists.to_status()["details"], json!({ "name": "db", "kind": "secrets" }));
    }
}
