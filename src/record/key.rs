//! The properties by which a request of a replay finds its answer.

use super::line;
use crate::policy::{Attempt, Target, Upgrade};
use crate::reference::decode;

/// Parameters that say how long a guest waits. client-go draws that of a watch at random, and no answer depends on it.
const WAITS: [&str; 2] = ["timeout", "timeoutSeconds"];

/// A request without its body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Key {
    /// The context or the other host.
    destination: Result<String, String>,
    method: String,
    /// The decoded path.
    path: String,
    /// The decoded parameters, sorted by their names.
    query: Vec<(String, String)>,
    accept: Option<String>,
    /// The protocol to which the connection is to be upgraded.
    upgrade: Option<String>,
}

impl Key {
    /// Returns the key of a guest's request.
    pub(super) fn of(attempt: &Attempt, accept: Option<&str>) -> Self {
        let destination = match attempt.target() {
            Target::Context(context) => Ok(context.name().to_owned()),
            Target::Host(host) => Err(host.to_string()),
        };
        let key = Self::new(destination, attempt.method().as_str(), &attempt.path_and_query(), accept);
        Self { upgrade: attempt.upgrade().map(upgrade), ..key }
    }

    /// Returns the key of a recorded request.
    pub(super) fn recorded(request: &line::Request) -> Self {
        let destination = match &request.host {
            Some(host) => Err(host.clone()),
            None => Ok(request.context.clone().unwrap_or_default()),
        };
        let key = Self::new(destination, &request.method, &request.path, request.accept.as_deref());
        Self { upgrade: request.upgrade.clone(), ..key }
    }

    /// Returns the key of a request that the policy refused.
    pub(super) fn refused(refused: &line::Refused) -> Self {
        Self::new(Ok(refused.context.clone()), &refused.method, &refused.path, None)
    }

    fn new(destination: Result<String, String>, method: &str, path: &str, accept: Option<&str>) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        let mut query: Vec<_> = pairs.filter(|(name, _)| !WAITS.contains(&name.as_str())).collect();
        // Several values of one name keep their order.
        query.sort_by(|one, other| one.0.cmp(&other.0));
        let path = decode(path).unwrap_or_else(|| path.to_owned());
        // A request without the header accepts all (RFC 9110 §12.5.1).
        let accept = accept.filter(|accept| *accept != "*/*").map(str::to_owned);
        Self { destination, method: method.to_owned(), path, query, accept, upgrade: None }
    }

    /// Returns whether both are the same request, whatever form of answer they accept.
    pub(super) fn differs_in_accept_only(&self, other: &Self) -> bool {
        let plain = |key: &Self| Self { accept: None, upgrade: None, ..key.clone() };
        plain(self) == plain(other)
    }

    /// Returns how much two requests have in common.
    pub(super) fn nearness(&self, other: &Self) -> usize {
        let common = |one: &str, other: &str| {
            let (same, longest) = (one.bytes().zip(other.bytes()), one.len().max(other.len()).max(1));
            100 * same.take_while(|(one, other)| one == other).count() / longest
        };
        let is_same = |same: bool, worth: usize| if same { worth } else { 0 };
        2 * common(&self.path, &other.path)
            + is_same(self.method == other.method, 60)
            + is_same(self.destination == other.destination, 30)
            + is_same(self.query == other.query, 20)
    }
}

/// Returns the name of a protocol.
pub(super) fn upgrade(upgrade: Upgrade) -> String {
    String::from_utf8_lossy(upgrade.header().as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(method: &str, path: &str, accept: Option<&str>) -> Key {
        Key::new(Ok("c".to_owned()), method, path, accept)
    }

    #[test]
    fn the_spelling_of_a_request_does_not_matter() {
        let pods = key("GET", "/api/v1/pods?limit=5&labelSelector=a%3Db", None);
        for other in [
            "/api/v1/pods?labelSelector=a%3db&limit=5",
            "/api/v1/p%6fds?limit=5&labelSelector=a=b&timeoutSeconds=311",
        ] {
            assert_eq!(key("GET", other, Some("*/*")), pods);
        }
    }

    #[test]
    fn another_request_is_another_key() {
        let pods = key("GET", "/api/v1/pods?a=1&a=2", None);
        for (method, path, accept) in [
            ("POST", "/api/v1/pods?a=1&a=2", None),
            ("GET", "/api/v1/nodes?a=1&a=2", None),
            ("GET", "/api/v1/pods?a=2&a=1", None),
            ("GET", "/api/v1/pods?a=1&a=2", Some("application/json")),
        ] {
            assert_ne!(key(method, path, accept), pods, "{method} {path}");
        }
        assert_ne!(Key::new(Err("c".to_owned()), "GET", "/api/v1/pods?a=1&a=2", None), pods);
    }
}
