//! A guest's request, in a form that has only one meaning; other requests are refused.

use std::fmt;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::generalise::{narrowest, widened};
use super::refusal::{Reason, Refusal};
use super::request_info::RequestInfo;
use super::rule::Rule;
use super::target::Target;
use super::upgrade::Upgrade;
use crate::defence::Defence;
use crate::reference::decode;

/// A request that a guest attempts: a method, a path and a query, at an endpoint that it may name.
#[derive(Clone, Debug)]
pub struct Attempt {
    target: Target,
    method: Method,
    path: String,
    query: Option<String>,
    claims: Vec<HeaderName>,
    info: RequestInfo,
    upgrade: Option<Upgrade>,
}

/// The longest path that is accepted, in bytes: twice nginx's default for a request line, and far more than
/// any path of Kubernetes has.
const LONGEST_PATH: usize = 16 * 1024;

impl Attempt {
    /// Reads a request to `target`.
    ///
    /// # Errors
    /// A refusal of everything that the gate and the API server could understand differently: dot segments,
    /// empty inner segments, encoded slashes, backslashes and control characters in the decoded path (RFC
    /// 3986 §5.2.4 and §6.2 let each server normalise them in its own way), the methods CONNECT and TRACE,
    /// and lengths that contradict each other (RFC 9112 §6.3).
    pub fn read(
        target: Target,
        method: Method,
        uri: Option<&PathAndQuery>,
        headers: &HeaderMap,
    ) -> Result<Self, Refusal> {
        let path = uri.map_or("/", PathAndQuery::path).to_owned();
        let query = uri.and_then(PathAndQuery::query).map(str::to_owned);
        let info = understand(&target, &method, &path, query.as_deref().unwrap_or_default(), headers);
        let upgrade = match (&info, &target) {
            (Ok(info), Target::Context(_)) => Upgrade::read(info, headers),
            // At another host there is no upgrade: the header is not forwarded.
            _ => Ok(None),
        };
        let fault = info.as_ref().err().or(upgrade.as_ref().err()).copied();
        let (info, upgrade) = (info.unwrap_or_default(), upgrade.unwrap_or_default());
        // At another host, a guest may claim any identity with its own means.
        let claims = if matches!(target, Target::Context(_)) { claims(headers) } else { Vec::new() };
        let attempt = Self { target, method, path, query, claims, info, upgrade };
        match fault {
            Some(fault) => Err(attempt.refused(Reason::Ambiguous(fault))),
            None => Ok(attempt),
        }
    }

    /// Refuses it.
    #[must_use]
    pub fn refused(&self, reason: Reason) -> Refusal {
        let (request, rule) = match (&reason, &self.target) {
            (Reason::Policy { .. }, Target::Context(context)) => {
                (self.info.to_string(), narrowest(&self.info, self.verbs(), context))
            }
            (Reason::Context { .. }, _) => (self.info.to_string(), None),
            (_, Target::Host(host)) => (format!("{} https://{host}{}", self.method, self.path), None),
            _ => (format!("{} {}", self.method, self.path), None),
        };
        Refusal::new(&request, reason, rule, &self.info)
    }

    /// Returns the destination.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path as the guest wrote it, without the endpoint's own prefix.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the query as the guest wrote it, without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns path and query as the guest wrote them.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        let query = self.query.as_deref().map(|query| format!("?{query}"));
        format!("{}{}", self.path, query.unwrap_or_default())
    }

    /// Returns the attributes that the API server derives from the request.
    #[must_use]
    pub fn info(&self) -> &RequestInfo {
        &self.info
    }

    /// Returns the protocol to which the connection is to be upgraded.
    #[must_use]
    pub fn upgrade(&self) -> Option<Upgrade> {
        self.upgrade
    }

    /// Returns the additional request that has to be allowed. A WebSocket begins with a GET, but opening a
    /// shell in a pod is more than reading. The API server requires `create` too
    /// (`pkg/registry/core/pod/rest/subresources.go`, from v1.35), but checks the permissions of kwasm's
    /// user, not the guest's.
    #[must_use]
    pub(super) fn opens(&self) -> Option<RequestInfo> {
        let reads = Defence::Shells.stops(self.upgrade.is_some() && self.info.verb == "get");
        reads.then(|| RequestInfo { verb: "create".to_owned(), ..self.info.clone() })
    }

    /// Returns the verbs that a policy has to allow.
    pub(super) fn verbs(&self) -> impl Iterator<Item = &str> {
        let create = self.opens().map(|_| "create");
        std::iter::once(self.info.verb.as_str()).chain(create)
    }

    /// Returns a rule that covers this request and those like it ([`super::generalise`]), or `None` if there is
    /// no such rule, or if the request is to another host.
    #[must_use]
    pub fn generalised(&self) -> Option<Rule> {
        match &self.target {
            Target::Context(context) => narrowest(&self.info, self.verbs(), context).map(widened),
            Target::Host(_) => None,
        }
    }

    /// Returns the headers by which the guest claims an identity.
    #[must_use]
    pub fn claims(&self) -> &[HeaderName] {
        &self.claims
    }
}

/// Formats the request as in a trace.
impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Context(_) => self.info.fmt(f),
            Target::Host(host) => write!(f, "{} https://{host}{}", self.method, self.path),
        }
    }
}

fn method_fault(method: &Method) -> Option<&'static str> {
    match *method {
        _ if !Defence::Methods.stands() => None,
        Method::CONNECT => Some("CONNECT requests a tunnel, and kwasm provides none"),
        // A proxy on the way would send the credentials back to the guest.
        Method::TRACE => Some("TRACE would echo the credentials"),
        _ => None,
    }
}

/// Derives the attributes that the API server sees in a request, or the reason why they are ambiguous.
fn understand(
    target: &Target,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<RequestInfo, &'static str> {
    if let Some(fault) = method_fault(method).or_else(|| framing_fault(headers)) {
        return Err(fault);
    }
    let decoded = decoded(path)?;
    match target {
        Target::Context(_) => RequestInfo::resolve(method, &decoded, query).map_err(|unclear| unclear.0),
        Target::Host(_) => Ok(RequestInfo { path: decoded, ..RequestInfo::default() }),
    }
}

/// Decodes each segment of a path.
fn decoded(path: &str) -> Result<String, &'static str> {
    if Defence::PathLength.stops(path.len() > LONGEST_PATH) {
        return Err("its path is longer than 16 KiB");
    }
    let inner = path.strip_prefix('/').ok_or("its path does not begin with a slash")?;
    let mut decoded = String::with_capacity(path.len());
    let mut segments = inner.split('/').peekable();
    while let Some(segment) = segments.next() {
        // An empty last segment is a trailing slash, which the API server knows.
        if Defence::EmptySegments.stops(segment.is_empty() && segments.peek().is_some()) {
            return Err("its path has an empty segment");
        }
        let text = decode(segment).ok_or("its path has an invalid percent-encoding")?;
        if let Some(fault) = segment_fault(&text) {
            return Err(fault);
        }
        decoded.push('/');
        decoded.push_str(if Defence::Decoding.stands() { &text } else { segment });
    }
    Ok(decoded)
}

fn segment_fault(decoded: &str) -> Option<&'static str> {
    // What a server in front of the API server takes for parameters (RFC 3986 §3.3) does not hide a dot segment from it.
    let plain = decoded.split(';').next().unwrap_or_default();
    match decoded {
        _ if Defence::DotSegments.stops(matches!(plain, "." | "..")) => Some("its path has a dot segment"),
        text if Defence::EncodedSlashes.stops(text.contains('/')) => Some("its path has an encoded slash"),
        text if text.contains('\\') => Some("its path has a backslash"),
        text if Defence::ControlCharacters.stops(text.chars().any(char::is_control)) => {
            Some("its path has a control character")
        }
        _ => None,
    }
}

fn framing_fault(headers: &HeaderMap) -> Option<&'static str> {
    if !Defence::Framing.stands() {
        return None;
    }
    if headers.get_all(http::header::HOST).iter().count() > 1 {
        return Some("it has two hosts");
    }
    let lengths = headers.get_all(http::header::CONTENT_LENGTH).iter().count();
    if lengths > 1 {
        return Some("it has two content lengths");
    }
    let is_number =
        |value: &HeaderValue| value.as_bytes().iter().all(u8::is_ascii_digit) && !value.is_empty();
    if headers.get(http::header::CONTENT_LENGTH).is_some_and(|value| !is_number(value)) {
        return Some("its content length is not a number");
    }
    if lengths == 1 && headers.contains_key(http::header::TRANSFER_ENCODING) {
        return Some("it has a content length and a transfer encoding");
    }
    None
}

/// Returns the headers by which a request claims an identity. An `authorization` that consists of blanks does
/// not: client libraries send it when their kubeconfig has no credential.
fn claims(headers: &HeaderMap) -> Vec<HeaderName> {
    let claims = |(name, value): &(&HeaderName, &HeaderValue)| {
        let blank = value.as_bytes().iter().all(u8::is_ascii_whitespace);
        (*name == http::header::AUTHORIZATION && !blank)
            || name.as_str().starts_with("impersonate-")
            || name.as_str().starts_with("x-remote-")
            || (*name == http::header::SEC_WEBSOCKET_PROTOCOL && has_token(value))
    };
    headers.iter().filter(claims).map(|(name, _)| name.clone()).collect()
}

/// Returns whether a list of WebSocket protocols contains a bearer token, as from browsers, which can set no
/// other header (k8s.io/apiserver, `pkg/authentication/request/websocket/protocol.go`).
fn has_token(protocols: &HeaderValue) -> bool {
    const TOKEN: &[u8] = b"base64url.bearer.authorization.k8s.io.";
    protocols.as_bytes().windows(TOKEN.len()).any(|part| part.eq_ignore_ascii_case(TOKEN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Context;

    fn read(method: Method, path: &str, headers: &HeaderMap) -> Result<Attempt, Refusal> {
        let uri: PathAndQuery = path.parse().unwrap();
        Attempt::read(Target::Context(Context::new("c", "shop", "c")), method, Some(&uri), headers)
    }

    #[test]
    fn an_ordinary_path_passes_as_it_is() {
        for path in [
            "/",
            "/api/v1/pods/",
            "/api/v1/namespaces/a%20b/configmaps/x:y",
            "/apis?timeout=32s",
            "/a/%2e%2e%2e",
            "/a/x;..",
        ] {
            let attempt = read(Method::GET, path, &HeaderMap::new()).unwrap();
            assert_eq!(attempt.path(), path.split('?').next().unwrap());
        }
    }

    #[test]
    fn a_path_that_two_servers_could_read_differently_is_refused() {
        for path in [
            "/..",
            "/a/../b",
            "/a/..;/b",
            "/a/%2e%2E;x=y/b",
            "/a/./b",
            "/%2e%2e/b",
            "/%2E./b",
            "//a",
            "/a//b",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a%00b",
            "/a%0d%0ab",
            "/a%",
            "/a%4",
            "/a%zz",
            "/%ff",
        ] {
            assert!(read(Method::GET, path, &HeaderMap::new()).is_err(), "{path}");
        }
    }

    #[test]
    fn a_path_may_have_16_kib_and_no_byte_more() {
        let path = format!("/{}", "a".repeat(LONGEST_PATH - 1));
        assert!(read(Method::GET, &path, &HeaderMap::new()).is_ok());
        assert!(read(Method::GET, &format!("{path}a"), &HeaderMap::new()).is_err());
    }

    #[test]
    fn connect_and_trace_are_refused_and_their_neighbours_are_not() {
        for method in [Method::CONNECT, Method::TRACE] {
            assert!(read(method, "/", &HeaderMap::new()).is_err());
        }
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PATCH] {
            assert!(read(method, "/", &HeaderMap::new()).is_ok());
        }
    }

    #[test]
    fn lengths_that_contradict_each_other_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append("content-length", "1".parse().unwrap());
        assert!(read(Method::POST, "/", &headers).is_ok());
        let mut both = headers.clone();
        both.insert("transfer-encoding", "chunked".parse().unwrap());
        assert!(read(Method::POST, "/", &both).is_err());
        headers.append("content-length", "2".parse().unwrap());
        assert!(read(Method::POST, "/", &headers).is_err());
    }
}
