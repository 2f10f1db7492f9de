//! Roles and bindings (`rbac.authorization.k8s.io/v1`), and what they allow.

use crate::Metadata;
use kube_guest::{BadPath, Path};
use serde::{Deserialize, Serialize};

/// A `Role` or a `ClusterRole`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Role {
    /// Its metadata.
    #[serde(default)]
    pub metadata: Metadata,
    /// What it allows. An aggregated one has the rules of the others here too.
    pub rules: Option<Vec<Rule>>,
}

/// A rule of a role. Each list may be missing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The verbs, or `*`.
    pub verbs: Option<Vec<String>>,
    /// The API groups, or `*`; the core group is empty.
    pub api_groups: Option<Vec<String>>,
    /// The resources, such as `pods`, `pods/log`, `*/scale` or `*`.
    pub resources: Option<Vec<String>>,
    /// The names of the only objects that it is about.
    pub resource_names: Option<Vec<String>>,
    /// Paths that are no resources, such as `/healthz` or `/logs/*`.
    #[serde(rename = "nonResourceURLs")]
    pub non_resource_urls: Option<Vec<String>>,
}

/// A `RoleBinding` or a `ClusterRoleBinding`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// Its metadata.
    #[serde(default)]
    pub metadata: Metadata,
    /// The role.
    #[serde(default)]
    pub role_ref: RoleRef,
    /// Whom it gives the role.
    pub subjects: Option<Vec<Subject>>,
}

/// The role of a binding.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleRef {
    /// Its API group.
    #[serde(default)]
    pub api_group: String,
    /// `Role` or `ClusterRole`.
    #[serde(default)]
    pub kind: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// A user, a group or a service account.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`.
    #[serde(default)]
    pub kind: String,
    /// The API group; that of service accounts is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub api_group: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// The namespace of a service account.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
}

impl Rule {
    /// Returns whether it is about this verb.
    #[must_use]
    pub fn has_verb(&self, verb: &str) -> bool {
        any(self.verbs.as_ref(), |known| known == "*" || known == verb)
    }

    /// Returns whether it is about this resource, with a subresource as in `pods/log`, of this API group. Of an empty `name`
    /// all objects are meant.
    #[must_use]
    pub fn has_resource(&self, group: &str, resource: &str, name: &str) -> bool {
        let all_of_it = |known: &str| {
            let sub = known.strip_prefix("*/");
            sub.is_some_and(|sub| resource.split_once('/').is_some_and(|(_, wanted)| wanted == sub))
        };
        any(self.api_groups.as_ref(), |known| known == "*" || known == group)
            && any(self.resources.as_ref(), |known| known == "*" || known == resource || all_of_it(known))
            && (self.resource_names.as_ref().is_none_or(Vec::is_empty)
                || any(self.resource_names.as_ref(), |known| known == name))
    }

    /// Returns whether it is about this path, which is no resource.
    #[must_use]
    pub fn has_path(&self, path: &str) -> bool {
        let covers = |known: &str| match known.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => known == path,
        };
        any(self.non_resource_urls.as_ref(), covers)
    }
}

fn any(list: Option<&Vec<String>>, covers: impl Fn(&str) -> bool) -> bool {
    list.into_iter().flatten().any(|known| covers(known))
}

/// Returns the path of all `roles`, `rolebindings`, `clusterroles` or `clusterrolebindings`, in a namespace or in all.
///
/// # Errors
///
/// A namespace that cannot be part of a path.
pub fn path(resource: &str, namespace: Option<&str>) -> Result<Path, BadPath> {
    let mut segments = vec!["apis", "rbac.authorization.k8s.io", "v1"];
    if let Some(namespace) = namespace {
        segments.extend(["namespaces", namespace]);
    }
    segments.push(resource);
    Path::new(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_rule_covers_what_it_names_and_nothing_else() {
        let rule = rule(r#"{"verbs":["get"],"apiGroups":[""],"resources":["pods","pods/log"]}"#);
        assert!(rule.has_verb("get") && !rule.has_verb("list"));
        assert!(rule.has_resource("", "pods", "") && rule.has_resource("", "pods", "web"));
        assert!(rule.has_resource("", "pods/log", "") && !rule.has_resource("", "pods/exec", ""));
        assert!(!rule.has_resource("metrics.k8s.io", "pods", "") && !rule.has_resource("", "services", ""));
    }

    #[test]
    fn a_star_covers_all() {
        let all = rule(r#"{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}"#);
        assert!(all.has_verb("bind") && all.has_resource("apps", "deployments/scale", "web"));
        let scales = rule(r#"{"verbs":["get"],"apiGroups":["*"],"resources":["*/scale"]}"#);
        assert!(scales.has_resource("apps", "deployments/scale", ""));
        assert!(!scales.has_resource("apps", "deployments", ""));
        assert!(!scales.has_resource("apps", "deployments/status", ""));
    }

    #[test]
    fn names_narrow_a_rule() {
        let one =
            rule(r#"{"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["login"]}"#);
        assert!(one.has_resource("", "secrets", "login"));
        assert!(!one.has_resource("", "secrets", "other") && !one.has_resource("", "secrets", ""));
        let empty = rule(r#"{"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":[]}"#);
        assert!(empty.has_resource("", "secrets", "other"));
    }

    #[test]
    fn a_path_is_covered_up_to_a_star_at_the_end() {
        let paths = rule(r#"{"verbs":["get"],"nonResourceURLs":["/logs/*","/version"]}"#);
        assert!(paths.has_path("/logs/a/b") && paths.has_path("/logs/") && paths.has_path("/version"));
        assert!(!paths.has_path("/logs") && !paths.has_path("/version/x"));
    }

    #[test]
    fn lists_that_are_null_or_missing_cover_nothing() {
        let none = rule(r#"{"verbs":null,"apiGroups":null}"#);
        assert!(!none.has_verb("get") && !none.has_resource("", "pods", "") && !none.has_path("/"));
        let role: Role = serde_json::from_str(r#"{"metadata":{},"rules":null}"#).unwrap();
        assert!(role.rules.is_none());
    }
}
