//! The reasons why no answer arrived, in plain words.

use crate::for_terminal_line;
use std::fmt;
use wasip2::http::types::ErrorCode;

/// An exchange that failed below HTTP: `wasi:http`'s `error-code`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transport {
    code: &'static str,
    words: &'static str,
    detail: Option<String>,
}

impl Transport {
    /// Returns the name of the error in `wasi:http`, such as `HTTP-request-denied`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns whether the host refused the request itself, so that another try is useless.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.code == "HTTP-request-denied"
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words)?;
        match &self.detail {
            Some(detail) => write!(f, ": {}", for_terminal_line(detail)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Transport {}

impl From<ErrorCode> for Transport {
    fn from(code: ErrorCode) -> Self {
        let (name, words) = describe(&code);
        let detail = match code {
            ErrorCode::InternalError(detail) => detail,
            ErrorCode::DnsError(payload) => payload.rcode,
            ErrorCode::TlsAlertReceived(payload) => payload.alert_message,
            _ => None,
        };
        Self { code: name, words, detail }
    }
}

fn describe(code: &ErrorCode) -> (&'static str, &'static str) {
    use ErrorCode as E;
    match code {
        E::DnsTimeout => ("DNS-timeout", "looking up the host's name took too long"),
        E::DnsError(_) => ("DNS-error", "the host's name could not be looked up"),
        E::DestinationNotFound => ("destination-not-found", "there is no such host"),
        E::DestinationUnavailable => ("destination-unavailable", "the server is not available"),
        E::DestinationIpProhibited => {
            ("destination-IP-prohibited", "the host does not let plugins reach this address")
        }
        E::DestinationIpUnroutable => ("destination-IP-unroutable", "no route leads to this address"),
        E::ConnectionRefused => ("connection-refused", "the server refused the connection"),
        E::ConnectionTerminated => ("connection-terminated", "the connection broke"),
        E::ConnectionTimeout => ("connection-timeout", "connecting took too long"),
        E::ConnectionReadTimeout => ("connection-read-timeout", "the server stopped sending"),
        E::ConnectionWriteTimeout => ("connection-write-timeout", "the server stopped reading"),
        E::ConnectionLimitReached => ("connection-limit-reached", "too many requests at a time"),
        E::TlsProtocolError => ("TLS-protocol-error", "the server does not speak TLS as it should"),
        E::TlsCertificateError => ("TLS-certificate-error", "the server's certificate cannot be trusted"),
        E::TlsAlertReceived(_) => ("TLS-alert-received", "the server ended the TLS handshake"),
        E::HttpResponseIncomplete => ("HTTP-response-incomplete", "the answer is incomplete"),
        E::HttpResponseTimeout => ("HTTP-response-timeout", "the answer took too long"),
        E::HttpUpgradeFailed => ("HTTP-upgrade-failed", "the server did not switch protocols"),
        E::HttpProtocolError => ("HTTP-protocol-error", "the server does not speak HTTP as it should"),
        E::LoopDetected => ("loop-detected", "the request went round in a circle"),
        // For a request to the cluster, kwasm only reports this error, and explains it after the plugin's own
        // last message.
        E::ConfigurationError => {
            ("configuration-error", "the kubeconfig gave no usable credentials or certificates, see below")
        }
        E::InternalError(_) => ("internal-error", "the host failed"),
        of_request_or_size => describe_message(of_request_or_size),
    }
}

/// Describes the errors about sent messages and about sizes.
fn describe_message(code: &ErrorCode) -> (&'static str, &'static str) {
    use ErrorCode as E;
    match code {
        E::HttpRequestDenied => ("HTTP-request-denied", "the plugin's policy does not allow this request"),
        E::HttpRequestLengthRequired => ("HTTP-request-length-required", "the request needs a length"),
        E::HttpRequestBodySize(_) => {
            ("HTTP-request-body-size", "the request's body is not as long as it says")
        }
        E::HttpRequestMethodInvalid => ("HTTP-request-method-invalid", "the request's method is invalid"),
        E::HttpRequestUriInvalid => ("HTTP-request-URI-invalid", "the request's path or host is invalid"),
        E::HttpRequestUriTooLong => ("HTTP-request-URI-too-long", "the request's path is too long"),
        E::HttpRequestHeaderSectionSize(_) => {
            ("HTTP-request-header-section-size", "the request's headers are too large")
        }
        E::HttpRequestHeaderSize(_) => ("HTTP-request-header-size", "a header of the request is too large"),
        E::HttpRequestTrailerSectionSize(_) => {
            ("HTTP-request-trailer-section-size", "the request's trailers are too large")
        }
        E::HttpRequestTrailerSize(_) => {
            ("HTTP-request-trailer-size", "a trailer of the request is too large")
        }
        E::HttpResponseHeaderSectionSize(_) => {
            ("HTTP-response-header-section-size", "the answer's headers are too large")
        }
        E::HttpResponseHeaderSize(_) => ("HTTP-response-header-size", "a header of the answer is too large"),
        E::HttpResponseBodySize(_) => ("HTTP-response-body-size", "the answer's body is too large"),
        E::HttpResponseTrailerSectionSize(_) => {
            ("HTTP-response-trailer-section-size", "the answer's trailers are too large")
        }
        E::HttpResponseTrailerSize(_) => {
            ("HTTP-response-trailer-size", "a trailer of the answer is too large")
        }
        E::HttpResponseTransferCoding(_) => {
            ("HTTP-response-transfer-coding", "the answer's transfer coding is unknown")
        }
        E::HttpResponseContentCoding(_) => {
            ("HTTP-response-content-coding", "the answer's content coding is unknown")
        }
        _ => ("internal-error", "the host failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_interface_and_the_words_are_plain() {
        let denied = Transport::from(ErrorCode::HttpRequestDenied);
        assert!(denied.is_denied());
        assert_eq!(denied.code(), "HTTP-request-denied");
        let internal = Transport::from(ErrorCode::InternalError(Some("out of sockets".into())));
        assert_eq!(internal.to_string(), "the host failed: out of sockets");
        let body = Transport::from(ErrorCode::HttpResponseBodySize(Some(7)));
        assert_eq!(body.code(), "HTTP-response-body-size");
    }
}
