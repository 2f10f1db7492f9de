//! The part of the API that a request target names.
//!
//! It is read as generously as by the real server (Go's `URL.Path` is the decoded path), so that a gate that
//! judges the undecoded text is detected: `%2F` separates segments here, and `/api/v1/watch/…` is a watch.

use crate::object::Resource;

/// The target of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Route {
    /// A discovery or health document that is the same for all.
    Document(Document),
    /// All objects of a kind, in one namespace or in all.
    Collection { resource: &'static Resource, namespace: Option<String>, watch: bool },
    /// One object.
    Item { resource: &'static Resource, namespace: Option<String>, name: String },
    /// `selfsubjectreviews`: who the caller is.
    SelfSubjectReview,
    /// Counts and hashes an upload.
    Sink,
    /// Sends the requested number of bytes.
    Source,
    /// Makes changes at a steady rate.
    Ticks,
    /// An unknown path.
    Unknown,
    /// Outside the configured base path: another tenant of the same front proxy.
    Outside(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    Health,
    Version,
    Legacy,
    Groups,
    CoreResources,
    AuthenticationGroup,
    AuthenticationResources,
}

/// Reads `target` (path and optional query, as it stood in the request line) below `base`.
///
/// With a base path the dot segments are resolved first, as a front proxy such as nginx does: what climbs out of
/// the base arrives at [`Route::Outside`].
pub(crate) fn route(base: &str, target: &str) -> Route {
    let path = decode(target.split('?').next().unwrap_or_default(), false);
    if base.is_empty() {
        return inside(&path);
    }
    let path = resolve_dots(&path);
    match path.strip_prefix(base) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => inside(rest),
        _ => Route::Outside(path),
    }
}

/// Returns the path of `target` below `base`, decoded: what faults are matched against.
pub(crate) fn path_below(base: &str, target: &str) -> String {
    let path = decode(target.split('?').next().unwrap_or_default(), false);
    path.strip_prefix(base).map_or_else(|| path.clone(), ToOwned::to_owned)
}

fn inside(path: &str) -> Route {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match segments.as_slice() {
        ["healthz" | "readyz" | "livez"] => Route::Document(Document::Health),
        ["version"] => Route::Document(Document::Version),
        ["api"] => Route::Document(Document::Legacy),
        ["apis"] => Route::Document(Document::Groups),
        ["apis", "authentication.k8s.io"] => Route::Document(Document::AuthenticationGroup),
        ["apis", "authentication.k8s.io", "v1"] => Route::Document(Document::AuthenticationResources),
        ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] => Route::SelfSubjectReview,
        ["api", "v1"] => Route::Document(Document::CoreResources),
        ["api", "v1", "watch", rest @ ..] => watched(core(rest)),
        ["api", "v1", rest @ ..] => core(rest),
        ["sink"] => Route::Sink,
        ["source"] => Route::Source,
        ["ticks"] => Route::Ticks,
        _ => Route::Unknown,
    }
}

fn core(segments: &[&str]) -> Route {
    let (namespace, rest) = match segments {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
        rest => (None, rest),
    };
    if namespace.as_deref() == Some("") {
        return Route::Unknown;
    }
    match *rest {
        [plural] => match Resource::find(plural) {
            Some(resource) if resource.namespaced || namespace.is_none() => {
                Route::Collection { resource, namespace, watch: false }
            }
            _ => Route::Unknown,
        },
        [plural, name] if !name.is_empty() => match Resource::find(plural) {
            Some(resource) if resource.namespaced == namespace.is_some() => {
                Route::Item { resource, namespace, name: name.to_owned() }
            }
            _ => Route::Unknown,
        },
        _ => Route::Unknown,
    }
}

fn watched(route: Route) -> Route {
    match route {
        Route::Collection { resource, namespace, .. } => {
            Route::Collection { resource, namespace, watch: true }
        }
        _ => Route::Unknown,
    }
}

/// The parameters of a query, decoded; the first of several with one name counts, as in Go's `Query().Get`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(target: &str) -> Self {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name, true), decode(value, true)))
                .collect(),
        )
    }

    /// Returns the value of `name`; an empty one counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Returns whether `name` is set to true: `1`, `true`, or (as in Kubernetes) no value.
    pub(crate) fn flag(&self, name: &str) -> bool {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.is_some_and(|(_, value)| !matches!(value.as_str(), "0" | "false"))
    }
}

/// Percent-decodes a text. Invalid escapes are kept, and invalid UTF-8 is replaced.
fn decode(text: &str, plus_is_space: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        rest = if escape.is_some() { &tail[2..] } else { tail };
        bytes.push(match (escape, first) {
            (Some(byte), _) => byte,
            (None, b'+') if plus_is_space => b' ',
            (None, byte) => *byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn resolve_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(base: &str, target: &str) -> String {
        match route(base, target) {
            Route::Collection { resource, namespace, watch } => {
                format!("{} in {} watch={watch}", resource.plural, namespace.as_deref().unwrap_or("all"))
            }
            Route::Item { resource, namespace, name } => {
                format!("{} {}/{name}", resource.plural, namespace.as_deref().unwrap_or("-"))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn paths_name_collections_and_items() {
        assert_eq!(describe("", "/api/v1/secrets"), "secrets in all watch=false");
        assert_eq!(describe("", "/api/v1/namespaces/shop/secrets?limit=5"), "secrets in shop watch=false");
        assert_eq!(describe("", "/api/v1/namespaces/shop/secrets/db"), "secrets shop/db");
        assert_eq!(describe("", "/api/v1/namespaces/shop"), "namespaces -/shop");
        assert_eq!(describe("", "/api/v1/namespaces"), "namespaces in all watch=false");
        assert_eq!(describe("", "/api/v1/secrets/db"), "Unknown");
        assert_eq!(describe("", "/api/v1/namespaces/shop/pods/web/log"), "Unknown");
    }

    #[test]
    fn escapes_hide_nothing() {
        assert_eq!(describe("", "/api/v1/namespaces/shop/%73ecrets%2Fdb"), "secrets shop/db");
        assert_eq!(describe("", "/api/v1/watch/namespaces/shop/secrets"), "secrets in shop watch=true");
        assert_eq!(describe("", "/version%"), "Unknown");
    }

    #[test]
    fn a_base_path_is_left_by_climbing() {
        assert_eq!(describe("/k8s/c-1", "/k8s/c-1/api/v1/secrets"), "secrets in all watch=false");
        assert_eq!(describe("/k8s/c-1", "/k8s/c-12/api"), "Outside(\"/k8s/c-12/api\")");
        assert_eq!(describe("/k8s/c-1", "/k8s/c-1/%2e%2e/c-2/api"), "Outside(\"/k8s/c-2/api\")");
    }

    #[test]
    fn queries_are_decoded_and_flags_read_as_kubernetes_reads_them() {
        let query = Query::of("/x?labelSelector=a%3Db%2Cc+d&watch&limit=&allowWatchBookmarks=false");
        assert_eq!(query.get("labelSelector"), Some("a=b,c d"));
        assert_eq!(query.get("limit"), None);
        assert!(query.flag("watch") && !query.flag("allowWatchBookmarks") && !query.flag("pretty"));
    }
}
