//! The heads of requests and answers as the user may see them: without any value that could be a credential.
//!
//! They are made of what the guest wrote and reads. What the sender adds (credentials, impersonation, `host`) is never
//! in them.

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::request::Parts;
use ::http::response;

use super::headers;
use crate::policy::{Attempt, Target};

/// The head of a message: a line about the whole, then one for each header.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Head(Vec<String>);

/// The largest number of headers that are shown.
const MOST: usize = 100;

/// The longest value that is shown whole, in characters.
const LONGEST: usize = 300;

/// The headers whose values are shown: those that are known to carry no credential. Of all others only the length is,
/// since any name may be that of some server's API key.
const SHOWN: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "audit-id",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "kubectl-command",
    "last-modified",
    "range",
    "retry-after",
    "server",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "warning",
    "x-content-type-options",
    "x-kubernetes-pf-flowschema-uid",
    "x-kubernetes-pf-prioritylevel-uid",
    "x-request-id",
    "x-stream-protocol-version",
];

impl Head {
    /// Returns the head of a guest's request. A header that the gate does not forward has no value in it. Without an
    /// `attempt`, the request was refused before it was understood, and nothing of it is forwarded.
    pub(super) fn of_request(parts: &Parts, attempt: Option<&Attempt>) -> Self {
        let sent = attempt.map(|attempt| headers::outgoing(parts.headers.clone(), attempt.target()));
        let upgrades = attempt.is_some_and(|attempt| attempt.upgrade().is_some());
        let is_sent = |name: &HeaderName| {
            let of_upgrade = upgrades && (name == header::UPGRADE || name == header::CONNECTION);
            of_upgrade || sent.as_ref().is_none_or(|sent| sent.contains_key(name))
        };
        let first = format!("{} {}", parts.method, target(parts, attempt));
        Self::of(first, &parts.headers, is_sent)
    }

    /// Returns the head of an answer, as its guest gets it.
    pub(super) fn of_response(parts: &response::Parts) -> Self {
        Self::of(parts.status.to_string(), &parts.headers, |_| true)
    }

    fn of(first: String, headers: &HeaderMap, is_sent: impl Fn(&HeaderName) -> bool) -> Self {
        let mut lines = vec![first];
        for (name, value) in headers.iter().take(MOST) {
            let value = if is_sent(name) { shown(name, value) } else { "(not sent)".to_owned() };
            lines.push(format!("{name}: {value}"));
        }
        if headers.len() > MOST {
            lines.push(format!("(and {} more)", headers.len() - MOST));
        }
        Self(lines)
    }

    /// Returns the lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

/// Returns the path and query of a request. A query has its place only at an API server itself: other servers may take
/// a credential there.
fn target(parts: &Parts, attempt: Option<&Attempt>) -> String {
    let to_server =
        |attempt: &Attempt| matches!(attempt.target(), Target::Context(_)) && !attempt.info().is_relayed();
    match attempt.filter(|attempt| to_server(attempt)) {
        Some(attempt) => attempt.path_and_query(),
        None => parts.uri.path().to_owned(),
    }
}

/// Returns a header's value if it may be shown, and otherwise its length.
fn shown(name: &HeaderName, value: &HeaderValue) -> String {
    let is_harmless = SHOWN.contains(&name.as_str())
        || (*name == header::SEC_WEBSOCKET_PROTOCOL && names_channels_only(value));
    match value.to_str() {
        Ok(text) if is_harmless && text.chars().count() <= LONGEST => text.to_owned(),
        _ => format!("({} bytes)", value.len()),
    }
}

/// Returns whether a list of WebSocket protocols consists of Kubernetes' own for streams. Any other may be a bearer
/// token (k8s.io/apiserver, `pkg/authentication/request/websocket/protocol.go`).
fn names_channels_only(protocols: &HeaderValue) -> bool {
    const CHANNELS: [&str; 8] = [
        "channel.k8s.io",
        "base64.channel.k8s.io",
        "v2.channel.k8s.io",
        "v3.channel.k8s.io",
        "v4.channel.k8s.io",
        "v4.base64.channel.k8s.io",
        "v5.channel.k8s.io",
        "SPDY/3.1+portforward.k8s.io",
    ];
    protocols.to_str().is_ok_and(|text| text.split(',').all(|part| CHANNELS.contains(&part.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Context, Host};
    use ::http::Request;

    const HEADERS: [(&str, &str); 9] = [
        ("accept", "application/json"),
        ("authorization", "Bearer s3cret"),
        ("cookie", "s3cret"),
        ("impersonate-user", "s3cret"),
        ("proxy-authorization", "Basic s3cret"),
        ("sec-websocket-protocol", "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.s3cret"),
        ("x-api-key", "s3cret"),
        ("x-forwarded-for", "s3cret"),
        ("user-agent", "podtool"),
    ];

    fn request(uri: &str, more: &[(&str, &str)]) -> Parts {
        let mut request = Request::get(uri);
        for (name, value) in HEADERS.iter().chain(more) {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn attempt(parts: &Parts, target: Target) -> Attempt {
        Attempt::read(target, parts.method.clone(), parts.uri.path_and_query(), &parts.headers).unwrap()
    }

    fn cluster() -> Target {
        Target::Context(Context::new("c", "shop", "c"))
    }

    #[test]
    fn a_request_is_shown_without_what_could_be_a_credential() {
        let parts = request("http://192.0.2.1/api/v1/pods?watch=1", &[]);
        let head = Head::of_request(&parts, Some(&attempt(&parts, cluster())));
        insta::assert_snapshot!(head.lines().join("\n"), @r"
        GET /api/v1/pods?watch=1
        accept: application/json
        authorization: (not sent)
        cookie: (not sent)
        impersonate-user: (6 bytes)
        proxy-authorization: (not sent)
        sec-websocket-protocol: (63 bytes)
        x-api-key: (6 bytes)
        x-forwarded-for: (not sent)
        user-agent: podtool
        ");
    }

    #[test]
    fn no_query_is_shown_but_that_of_the_api_server() {
        let host = Host { name: "example.com".to_owned(), port: 443, private: false };
        for (uri, target) in [
            ("https://example.com/x?key=s3cret", Some(Target::Host(host))),
            ("http://192.0.2.1/api/v1/namespaces/a/services/b/proxy/x?key=s3cret", Some(cluster())),
            ("http://192.0.2.1/x?key=s3cret", None),
        ] {
            let parts = request(uri, &[]);
            let attempt = target.map(|target| attempt(&parts, target));
            let text = Head::of_request(&parts, attempt.as_ref()).lines().join("\n");
            assert!(!text.contains("s3cret") && text.contains("/x\n"), "{text}");
            assert_eq!(text.contains("authorization: (13 bytes)"), !uri.contains("proxy"), "{text}");
        }
    }

    #[test]
    fn the_protocols_of_a_stream_are_shown() {
        for (protocols, is_shown) in [
            ("v5.channel.k8s.io, v4.channel.k8s.io", true),
            ("base64url.x.channel.k8s.io", false),
            ("", false),
        ] {
            assert_eq!(names_channels_only(&HeaderValue::from_static(protocols)), is_shown, "{protocols}");
        }
    }

    #[test]
    fn a_head_has_a_bounded_number_of_lines_of_bounded_length() {
        let long = "x".repeat(1000);
        let parts = request("http://192.0.2.1/x", &[("etag", long.as_str())]);
        let head = Head::of_request(&parts, None);
        assert_eq!(head.lines().last().unwrap(), "etag: (1000 bytes)");
        let parts = request("http://192.0.2.1/x", &[("accept", "y"); 141]);
        let head = Head::of_request(&parts, None);
        assert_eq!(head.lines().len(), MOST + 2);
        assert_eq!(head.lines().last().unwrap(), "(and 50 more)");
    }
}
