//! The attributes that the API server derives from a request: a port of `RequestInfoFactory.NewRequestInfo`
//! (k8s.io/apiserver v0.36, `pkg/endpoints/request/requestinfo.go`), to which RBAC's rules apply.

use std::fmt;

use http::Method;
use serde::Serialize;

use super::query::{ListOptions, Query, Unclear};
use crate::defence::Defence;

/// The attributes of a request, by their names in Kubernetes.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestInfo {
    /// Whether the request is about a resource, unlike discovery, health checks and the like.
    pub is_resource_request: bool,
    /// The verb, e.g. `get`, `list`, `watch`, `deletecollection`; for a request without a resource, the
    /// method in lower case.
    pub verb: String,
    /// `api` or `apis`.
    pub api_prefix: String,
    /// The API group; empty for the core group.
    pub api_group: String,
    /// The version, e.g. `v1`.
    pub api_version: String,
    /// The namespace; empty for cluster-scoped resources and for all namespaces.
    pub namespace: String,
    /// The resource, e.g. `pods`.
    pub resource: String,
    /// The subresource, e.g. `log`.
    pub subresource: String,
    /// The name; empty for collections.
    pub name: String,
    /// The whole decoded path.
    pub path: String,
}

/// Prefixes of a path that were verbs once and still are accepted.
const SPECIAL_VERBS: &[&str] = &["proxy", "watch"];

/// The names that follow `/namespaces/NAME/` without being resources in that namespace.
const NAMESPACE_SUBRESOURCES: &[&str] = &["status", "finalize"];

impl RequestInfo {
    /// Returns whether the API server relays the request to another server (`pods/proxy`, `services/proxy`,
    /// `nodes/proxy`) instead of answering it.
    #[must_use]
    pub fn is_relayed(&self) -> bool {
        self.subresource == "proxy" || self.verb == "proxy"
    }

    /// Resolves a request. `path` is decoded and has neither empty nor dot segments; `query` is unchanged.
    ///
    /// # Errors
    /// If it is not certain how the API server reads it.
    pub(super) fn resolve(method: &Method, path: &str, query: &str) -> Result<Self, Unclear> {
        let mut info =
            Self { verb: method.as_str().to_ascii_lowercase(), path: path.to_owned(), ..Self::default() };
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (prefix, rest) = match *parts.as_slice() {
            [prefix @ ("api" | "apis"), ref rest @ ..] if parts.len() >= 3 => (prefix, rest),
            _ => return Ok(info),
        };
        prefix.clone_into(&mut info.api_prefix);
        let rest = match *rest {
            _ if prefix == "api" => rest,
            [group, ref rest @ ..] if rest.len() >= 2 => {
                group.clone_into(&mut info.api_group);
                rest
            }
            _ => return Ok(info),
        };
        let [version, rest @ ..] = rest else { return Ok(info) };
        info.is_resource_request = true;
        (*version).clone_into(&mut info.api_version);
        info.resource_of(method, rest)?;
        info.collection(query)?;
        Ok(info)
    }

    /// Reads verb, namespace, resource, name and subresource.
    fn resource_of(&mut self, method: &Method, mut parts: &[&str]) -> Result<(), Unclear> {
        let verb = match *method {
            Method::POST => "create",
            Method::GET | Method::HEAD => "get",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => "",
        };
        verb.clone_into(&mut self.verb);
        if let Some((verb, rest)) =
            parts.split_first().filter(|(first, _)| Defence::ListOptions.stops(SPECIAL_VERBS.contains(first)))
        {
            if rest.is_empty() {
                return Err(Unclear("its path names no resource"));
            }
            (*verb).clone_into(&mut self.verb);
            parts = rest;
        }
        if let ["namespaces", namespace, ..] = parts {
            (*namespace).clone_into(&mut self.namespace);
            if parts.get(2).is_some_and(|third| !NAMESPACE_SUBRESOURCES.contains(third)) {
                parts = &parts[2..];
            }
        }
        let part = |index: usize| parts.get(index).copied().unwrap_or_default().to_owned();
        self.resource = part(0);
        self.name = part(1);
        if self.verb != "proxy" {
            self.subresource = part(2);
        }
        Ok(())
    }

    /// Resolves a request without a name, which is about a collection.
    fn collection(&mut self, query: &str) -> Result<(), Unclear> {
        if !self.name.is_empty() {
            return Ok(());
        }
        match self.verb.as_str() {
            "get" => {
                let options = Query::read(query)?.list_options()?;
                let options = if Defence::ListOptions.stands() { options } else { ListOptions::default() };
                if options.watch { "watch" } else { "list" }.clone_into(&mut self.verb);
                self.name = options.name.unwrap_or_default();
            }
            "delete" if Defence::Collections.stands() => "deletecollection".clone_into(&mut self.verb),
            _ => {}
        }
        Ok(())
    }
}

/// Formats the request in kubectl's terms, e.g. `get secrets "db" in namespace shop`, or `get /version`.
impl fmt::Display for RequestInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, api_group, namespace, resource, subresource, name, path, .. } = self;
        if !self.is_resource_request {
            return write!(f, "{verb} {path}");
        }
        // OPTIONS and its like have none.
        write!(f, "{} {resource}", if verb.is_empty() { "(no verb)" } else { verb })?;
        if !api_group.is_empty() {
            write!(f, ".{api_group}")?;
        }
        if !subresource.is_empty() {
            write!(f, "/{subresource}")?;
        }
        if !name.is_empty() {
            write!(f, " {name:?}")?;
        }
        if !namespace.is_empty() {
            write!(f, " in namespace {namespace}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(method: &Method, path: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let info = RequestInfo::resolve(method, path, query).unwrap();
        if !info.is_resource_request {
            return format!("{} {}", info.verb, info.path);
        }
        let RequestInfo { verb, api_group, namespace, resource, subresource, name, .. } = info;
        format!("{verb} {api_group}|{namespace}|{resource}|{subresource}|{name}")
    }

    #[test]
    fn requests_are_taken_for_what_they_are() {
        for (method, path, expected) in [
            (Method::GET, "/api/v1/namespaces/shop/pods/web", "get |shop|pods||web"),
            (Method::HEAD, "/api/v1/namespaces/shop/pods", "list |shop|pods||"),
            (Method::GET, "/api/v1/pods?watch=1", "watch ||pods||"),
            (Method::GET, "/api/v1/watch/namespaces/shop/pods", "watch |shop|pods||"),
            (Method::GET, "/api/v1/watch/namespaces/shop/pods/web", "watch |shop|pods||web"),
            (Method::GET, "/api/v1/proxy/namespaces/shop/pods/web/x", "proxy |shop|pods||web"),
            (Method::GET, "/api/v1/namespaces", "list ||namespaces||"),
            (Method::GET, "/api/v1/namespaces/shop", "get |shop|namespaces||shop"),
            (Method::PUT, "/api/v1/namespaces/shop/finalize", "update |shop|namespaces|finalize|shop"),
            (Method::POST, "/api/v1/namespaces/shop/pods/web/exec", "create |shop|pods|exec|web"),
            (
                Method::DELETE,
                "/apis/apps/v1/namespaces/shop/deployments",
                "deletecollection apps|shop|deployments||",
            ),
            (Method::GET, "/apis/apps/v1", "get /apis/apps/v1"),
            (Method::GET, "/api/v1", "get /api/v1"),
            (Method::GET, "/", "get /"),
            (Method::OPTIONS, "/api/v1/pods", " ||pods||"),
            (
                Method::GET,
                "/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name=db",
                "list |shop|secrets||db",
            ),
        ] {
            assert_eq!(short(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_verb_in_the_path_without_a_resource_is_unclear() {
        assert!(RequestInfo::resolve(&Method::GET, "/api/v1/watch", "").is_err());
    }
}
