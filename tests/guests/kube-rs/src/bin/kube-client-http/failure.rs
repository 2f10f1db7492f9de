//! The reasons why no answer arrived.

use std::fmt;
use wasip2::http::types::{self, ErrorCode, HeaderError};
use wasip2::io::error::Error as StreamFailure;

/// An exchange that failed below HTTP.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request's own body broke off, in kube-rs' words.
    Body(String),
    /// `wasi:http`'s error code.
    Code(ErrorCode),
    /// A header that the host takes from no guest.
    Header(String, HeaderError),
    /// A part of a request or of an answer that the host does not take, or that was taken already.
    Part(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(why) => write!(f, "request body: {why}"),
            Self::Code(code) => fmt::Display::fmt(&kube_guest::Transport::from(code.clone()), f),
            Self::Header(name, error) => write!(f, "header `{name}`: {error}"),
            Self::Part(part) => write!(f, "{part}: not taken by the host"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<StreamFailure> for Failure {
    fn from(error: StreamFailure) -> Self {
        let code = types::http_error_code(&error);
        Self::Code(code.unwrap_or_else(|| ErrorCode::InternalError(Some(error.to_debug_string()))))
    }
}
