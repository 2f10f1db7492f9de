//! Errors between a plugin and the cluster.

use crate::{BadPath, Transport, for_terminal_line};
use serde::Deserialize;
use std::fmt;

/// The reason why the cluster gave no usable answer. Each message is one line that is safe to print on a
/// terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A header that may not be set, or a malformed method, host or path.
    #[error("{what}: {why}")]
    Request {
        /// The part of the request, such as "header `Authorization`".
        what: String,
        /// The host's reason.
        why: String,
    },
    /// Not the requested JSON.
    #[error("the server's answer: {}", for_terminal_line(&.0.to_string()))]
    Json(serde_json::Error),
    /// An answer with more bytes than are read.
    #[error("the server's answer has more than {0} bytes")]
    Large(usize),
    /// The kubeconfig is missing or not usable.
    #[error("kubeconfig: {}", for_terminal_line(.0))]
    Kubeconfig(String),
    /// A name that cannot be part of a path.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// A noun that names no resource of the server.
    #[error(transparent)]
    Resource(#[from] crate::Unknown),
    /// The API server's own refusal.
    #[error(transparent)]
    Status(#[from] Status),
    /// No answer, or an incomplete one.
    #[error(transparent)]
    Transport(#[from] Transport),
}

impl Error {
    /// Returns the API server's status code, if it answered with one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status.code),
            _ => None,
        }
    }
}

/// A failure reported by the API server: `metav1.Status`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, thiserror::Error)]
pub struct Status {
    /// The HTTP status code.
    #[serde(default)]
    pub code: u16,
    /// The message for people.
    #[serde(default)]
    pub message: String,
    /// The reason for machines, such as `NotFound`, `Forbidden`, `Expired`.
    #[serde(default)]
    pub reason: String,
}

impl Status {
    /// Returns whether the plugin's policy refused the request, so that the API server never saw it. kwasm says then what allows
    /// it, after the plugin's own last message.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.message.starts_with("refused by kwasm: ")
    }

    /// Reads the body of an answer whose HTTP status is `code`. If the body is not a `Status` (but e.g. a
    /// proxy's page), its first line is the message.
    #[must_use]
    pub fn read(code: u16, body: &[u8]) -> Self {
        if let Ok(Marked { kind, status }) = serde_json::from_slice::<Marked>(body)
            && kind == "Status"
        {
            return Self { code, ..status };
        }
        let text = String::from_utf8_lossy(body);
        let message = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let message = message.chars().take(200).collect();
        Self { code, message, reason: String::new() }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.message.as_str(), self.reason.as_str()) {
            ("", "") => write!(f, "the server answered {}", self.code),
            ("", reason) => write!(f, "the server answered {} ({})", self.code, for_terminal_line(reason)),
            (message, "") => write!(f, "the server answered {}: {}", self.code, for_terminal_line(message)),
            (message, _) => f.write_str(&for_terminal_line(message)),
        }
    }
}

#[derive(Deserialize)]
struct Marked {
    kind: String,
    #[serde(flatten)]
    status: Status,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_speaks_for_itself() {
        let body = br#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
            "message":"secrets \"x\" not found","reason":"NotFound","details":{"name":"x"},"code":404}"#;
        let status = Status::read(404, body);
        assert_eq!(status.reason, "NotFound");
        assert_eq!(status.to_string(), "secrets \"x\" not found");
    }

    #[test]
    fn another_body_gives_its_first_line() {
        let status = Status::read(502, b"\n <h1>Bad \x1b[31mGateway</h1>\nmore");
        assert_eq!(status.to_string(), "the server answered 502: <h1>Bad \\x1b[31mGateway</h1>");
        assert_eq!(Status::read(500, b"").to_string(), "the server answered 500");
    }

    #[test]
    fn an_object_that_is_no_status_is_none() {
        let status = Status::read(500, br#"{"kind":"Secret","message":"m"}"#);
        assert!(status.reason.is_empty());
        assert_eq!(status.code, 500);
    }
}
