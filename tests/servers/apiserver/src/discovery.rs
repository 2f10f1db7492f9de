//! The documents by which clients find out what a server has.

use serde_json::{Value, json};

use crate::object::{RESOURCES, Resource};
use crate::routes::Document;

/// The version that this server claims.
pub(crate) const VERSION: &str = "v1.36.0";

/// Returns a document; `None` for health checks, which are not JSON.
pub(crate) fn document(document: Document) -> Option<Value> {
    let group = json!({
        "name": "authentication.k8s.io",
        "versions": [{ "groupVersion": "authentication.k8s.io/v1", "version": "v1" }],
        "preferredVersion": { "groupVersion": "authentication.k8s.io/v1", "version": "v1" },
    });
    Some(match document {
        Document::Health => return None,
        Document::Version => json!({
            "major": "1", "minor": "36", "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
            "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
        }),
        Document::Legacy => {
            json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })
        }
        Document::Groups => json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [group] }),
        Document::AuthenticationGroup => {
            let mut group = group;
            group["kind"] = json!("APIGroup");
            group["apiVersion"] = json!("v1");
            group
        }
        Document::CoreResources => json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1",
            "resources": RESOURCES.iter().map(resource).collect::<Vec<Value>>(),
        }),
        Document::AuthenticationResources => json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "authentication.k8s.io/v1",
            "resources": [{
                "name": "selfsubjectreviews", "singularName": "selfsubjectreview", "namespaced": false,
                "kind": "SelfSubjectReview", "verbs": ["create"],
            }],
        }),
    })
}

fn resource(resource: &Resource) -> Value {
    let verbs: &[&str] = if resource.namespaced {
        &["create", "delete", "get", "list", "patch", "update", "watch"]
    } else {
        &["create", "get", "list", "watch"]
    };
    json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": verbs, "shortNames": resource.short,
    })
}
