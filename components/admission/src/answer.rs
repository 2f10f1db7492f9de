//! The verdict about a request, and how a review states it.

use serde::Serialize;
use serde_json::{Value, json};

/// The verdict about a request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Verdict {
    denial: Option<Denial>,
    warnings: Vec<String>,
    patch: Vec<Operation>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Denial {
    message: String,
    code: u16,
}

/// An operation of a JSON patch ([RFC 6902](https://www.rfc-editor.org/rfc/rfc6902)). Paths are JSON pointers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "op")]
pub enum Operation {
    /// Adds a value, or an element of a list before another.
    Add {
        /// Where.
        path: String,
        /// What.
        value: Value,
    },
    /// Replaces a value.
    Replace {
        /// Which.
        path: String,
        /// By what.
        value: Value,
    },
    /// Removes a value.
    Remove {
        /// Which.
        path: String,
    },
}

impl Verdict {
    /// Returns that the request is admitted.
    #[must_use]
    pub fn allow() -> Self {
        Self::default()
    }

    /// Returns that it is not, and why, as its sender reads it.
    #[must_use]
    pub fn deny(message: impl Into<String>) -> Self {
        Self { denial: Some(Denial { message: message.into(), code: 403 }), ..Self::default() }
    }

    /// Sets the HTTP status of a denial, which is 403 otherwise.
    #[must_use]
    pub fn with_code(mut self, code: u16) -> Self {
        if let Some(denial) = &mut self.denial {
            denial.code = code;
        }
        self
    }

    /// Adds a warning, which its sender reads whatever the verdict is. The API server shows some hundred characters of each.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// Adds a change of the object. Only mutating webhooks may.
    #[must_use]
    pub fn patch(mut self, operation: Operation) -> Self {
        self.patch.push(operation);
        self
    }

    /// Returns the review that states it.
    #[must_use]
    pub fn review(&self, uid: &str) -> Value {
        let mut response = json!({"uid": uid, "allowed": self.denial.is_none()});
        if let Some(Denial { message, code }) = &self.denial {
            response["status"] = json!({"message": message, "code": code});
        }
        if !self.warnings.is_empty() {
            response["warnings"] = json!(self.warnings);
        }
        if self.denial.is_none() && !self.patch.is_empty() {
            response["patchType"] = "JSONPatch".into();
            // The API has it as base64, a value's text within the text.
            response["patch"] = base64(json!(self.patch).to_string().as_bytes()).into();
        }
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
    }
}

/// Returns bytes in base64 ([RFC 4648](https://www.rfc-editor.org/rfc/rfc4648)).
fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_the_review_of_the_api() {
        let review = Verdict::deny("no").with_code(422).warn("soon").review("7");
        assert_eq!(
            review["response"],
            json!({"uid": "7", "allowed": false, "status": {"message": "no", "code": 422}, "warnings": ["soon"]})
        );
        let add = Operation::Add { path: "/metadata/labels/a".to_owned(), value: "b".into() };
        let review = Verdict::allow().patch(add).review("8");
        assert_eq!(review["response"]["patchType"], "JSONPatch");
        let patch =
            data_encoding::BASE64.decode(review["response"]["patch"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(patch).unwrap(),
            r#"[{"op":"add","path":"/metadata/labels/a","value":"b"}]"#
        );
    }

    #[test]
    fn nothing_that_is_denied_is_changed() {
        let remove = Operation::Remove { path: "/a".to_owned() };
        assert!(Verdict::deny("no").patch(remove).review("1")["response"].get("patch").is_none());
    }
}
