//! A server's view of a client, in one line: the user, the connection, and the address.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kwasm_apiserver::Received;

/// The facts that one request shows.
pub(super) struct Seen {
    /// The server, then all that a client shows of itself, e.g. `tls sni=localhost token=t as-user=jane`.
    pub(super) line: String,
    /// The requested namespace, if any.
    pub(super) namespace: Option<String>,
}

impl Seen {
    /// Reads a request for the version or for config maps; returns `None` for others.
    pub(super) fn of(server: &str, request: &Received) -> Option<Self> {
        let path = request.path();
        let (prefix, namespace) = match path.split_once("/api/v1/namespaces/") {
            Some((prefix, rest)) => (prefix, Some(rest.strip_suffix("/configmaps")?.to_owned())),
            None => (path.strip_suffix("/version")?, None),
        };
        Some(Self { line: shown(server, prefix, request), namespace })
    }
}

fn shown(server: &str, prefix: &str, request: &Received) -> String {
    let mut line = server.to_owned();
    let mut add = |name: &str, value: &str| write!(line, " {name}={value}").unwrap();
    if let Some(name) = &request.server_name {
        add("sni", name);
    }
    if !prefix.is_empty() {
        add("prefix", prefix);
    }
    if let Some(subject) = &request.certificate {
        let name = subject.split(", ").find_map(|part| part.strip_prefix("CN="));
        add("certificate", name.unwrap_or(subject));
    }
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    if let Some((_, value)) = headers.clone().find(|(name, _)| *name == "authorization") {
        let (kind, secret) = authorization(value);
        add(kind, &secret);
    }
    let mut impersonation: Vec<(&str, &str)> =
        headers.filter_map(|(name, value)| Some((name.strip_prefix("impersonate-")?, value))).collect();
    // Of one name they stay in their order.
    impersonation.sort_by_key(|(name, _)| *name);
    for (name, value) in impersonation {
        add(&format!("as-{name}"), value);
    }
    line
}

/// Returns the scheme and the contents of an `authorization`: for basic authentication, user and password.
fn authorization(value: &str) -> (&'static str, String) {
    let decoded = value.strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok());
    match (decoded, value.strip_prefix("Bearer ")) {
        (Some(decoded), _) => ("password", String::from_utf8_lossy(&decoded).into_owned()),
        (None, Some(token)) => ("token", token.to_owned()),
        (None, None) => ("authorization", value.to_owned()),
    }
}

/// Returns the namespace that a guest reads in its kubeconfig, which `dumps` prints.
pub(super) fn namespace_of_guest(printed: &str) -> Option<String> {
    let (_, rest) = printed.split_once("\"namespace\": ")?;
    let line = rest.lines().next()?;
    serde_json::from_str(line.trim_end_matches(',')).ok()
}
