//! Where requests go.

use kube_guest::Path;

/// The path of a service's proxy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Route {
    pub(crate) namespace: String,
    /// As RBAC names it, with its port: `web:80`, `https:web:443`.
    pub(crate) service: String,
    base: String,
}

impl Route {
    /// Reads `NAMESPACE/SERVICE:PORT`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let (namespace, service) = text
            .split_once('/')
            .filter(|(_, service)| service.contains(':'))
            .ok_or_else(|| format!("--to {text}: not NAMESPACE/SERVICE:PORT"))?;
        let segments = ["api", "v1", "namespaces", namespace, "services", service, "proxy"];
        let base = Path::new(segments).map_err(|error| error.to_string())?.as_ref().replace("%3A", ":");
        Ok(Self { namespace: namespace.to_owned(), service: service.to_owned(), base })
    }

    /// Returns the path at the API server for one that a client asked for; `None` of one that could lead out of the service: two
    /// servers may read it in two ways.
    pub(crate) fn path(&self, target: &str) -> Option<String> {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let rest = path.strip_prefix('/')?;
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            let encoded = segment.to_ascii_lowercase();
            let is_plain = !matches!(segment, "." | "..")
                && !["%2e", "%2f", "%5c", "\\"].iter().any(|odd| encoded.contains(odd))
                && segment.bytes().all(|byte| byte.is_ascii_graphic());
            // Only the last one may be empty: the path ends with a slash.
            if !is_plain || (segment.is_empty() && segments.peek().is_some()) {
                return None;
            }
        }
        Some(format!("{}{path}{}", self.base, query.map(|query| format!("?{query}")).unwrap_or_default()))
    }
}

/// Returns the verb of the Kubernetes API for a method, as the API server's proxy judges it.
pub(crate) fn verb(method: &str) -> Option<&'static str> {
    Some(match method {
        "GET" | "HEAD" | "OPTIONS" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_its_service() {
        let route = Route::read("shop/web:80").unwrap();
        let base = "/api/v1/namespaces/shop/services/web:80/proxy";
        for path in ["/", "/a/b", "/a/?q=1", "/a%20b", "/...", "/?a=../b"] {
            assert_eq!(route.path(path), Some(format!("{base}{path}")), "{path}");
        }
        for path in
            ["", "a", "/../x", "/a/./b", "//a", "/a//b", "/%2e%2e/a", "/a%2Fb", "/a%5cb", "/a\\b", "/a b"]
        {
            assert_eq!(route.path(path), None, "{path}");
        }
    }

    #[test]
    fn a_service_has_a_namespace_and_a_port() {
        assert_eq!(Route::read("shop/https:web:443").unwrap().service, "https:web:443");
        for text in ["web:80", "shop/web", "shop/../web:80", "/web:80", "shop/we/b:80"] {
            assert!(Route::read(text).is_err(), "{text}");
        }
    }
}
