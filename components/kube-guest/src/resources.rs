//! The resources of an API server, and how people name them.

use crate::{BadPath, Path, for_terminal_line};

/// A resource of the API server: one plural noun of one API group, in the version that is preferred there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Resource {
    /// The API group; empty is the core group.
    pub group: String,
    /// The version, such as `v1`.
    pub version: String,
    /// The plural name, such as `pods`.
    pub name: String,
    /// The singular name, such as `pod`. Old servers have none of the built-in resources.
    pub singular: String,
    /// The kind of its objects, such as `Pod`.
    pub kind: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// The verbs that the server has for it.
    pub verbs: Vec<String>,
    /// Short names, such as `po`.
    pub short: Vec<String>,
    /// Its categories, such as `all`.
    pub categories: Vec<String>,
}

impl Resource {
    /// Returns whether the server has this verb for it.
    #[must_use]
    pub fn has(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// Returns the name with the group, such as `deployments.apps`, or `pods`.
    #[must_use]
    pub fn full_name(&self) -> String {
        if self.group.is_empty() { self.name.clone() } else { format!("{}.{}", self.name, self.group) }
    }

    /// Returns the `apiVersion` of its objects, such as `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Returns the path of all objects, or of those of a namespace. The namespace is left out for a resource that has
    /// none.
    ///
    /// # Errors
    ///
    /// A namespace that cannot be part of a path.
    pub fn path(&self, namespace: Option<&str>) -> Result<Path, BadPath> {
        self.segments(namespace, None)
    }

    /// Returns the path of an object.
    ///
    /// # Errors
    ///
    /// A namespace or a name that cannot be part of a path.
    pub fn object(&self, namespace: Option<&str>, name: &str) -> Result<Path, BadPath> {
        self.segments(namespace, Some(name))
    }

    fn segments(&self, namespace: Option<&str>, name: Option<&str>) -> Result<Path, BadPath> {
        let mut segments = match self.group.as_str() {
            "" => vec!["api", &self.version],
            group => vec!["apis", group, &self.version],
        };
        if let Some(namespace) = namespace.filter(|_| self.namespaced) {
            segments.extend(["namespaces", namespace]);
        }
        segments.push(&self.name);
        segments.extend(name);
        Path::new(segments)
    }

    /// Returns whether people may mean it by `noun`: a plural, singular or short name or a kind, in any case.
    pub(crate) fn is_named(&self, noun: &str) -> bool {
        let names = [&self.name, &self.singular, &self.kind];
        names.into_iter().chain(&self.short).any(|name| !name.is_empty() && name.eq_ignore_ascii_case(noun))
    }
}

/// A noun that names no resource of the server.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the server has no resource of the name `{}`", for_terminal_line(.noun))]
pub struct Unknown {
    pub(crate) noun: String,
}

/// Finds the resource that a noun means, as kubectl does: `pods`, `po`, `Pod`, `deployments.apps`, `deployments.v1.apps`.
/// The resources are in the server's order, in which the first one wins.
pub(crate) fn find<'a>(resources: &'a [Resource], noun: &str) -> Result<&'a Resource, Unknown> {
    let unknown = || Unknown { noun: noun.to_owned() };
    if let Some((name, rest)) = noun.split_once('.') {
        let of_group = |resource: &&Resource| {
            let (group, version) = (&resource.group, &resource.version);
            let versioned =
                rest.split_once('.').is_some_and(|(first, second)| first == version && second == group);
            resource.is_named(name) && (rest == group || versioned || (group.is_empty() && rest == version))
        };
        return resources.iter().find(of_group).ok_or_else(unknown);
    }
    // A plural wins over the short name of another resource.
    let exact = resources.iter().find(|resource| resource.name == noun);
    exact.or_else(|| resources.iter().find(|resource| resource.is_named(noun))).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, name: &str, kind: &str, short: &[&str]) -> Resource {
        Resource {
            group: group.to_owned(),
            version: "v1".to_owned(),
            name: name.to_owned(),
            singular: kind.to_lowercase(),
            kind: kind.to_owned(),
            namespaced: kind != "Node",
            verbs: vec!["list".to_owned()],
            short: short.iter().map(|short| (*short).to_owned()).collect(),
            categories: Vec::new(),
        }
    }

    fn some() -> Vec<Resource> {
        vec![
            resource("", "pods", "Pod", &["po"]),
            resource("", "nodes", "Node", &["no"]),
            resource("", "events", "Event", &["ev"]),
            resource("apps", "deployments", "Deployment", &["deploy"]),
            resource("events.k8s.io", "events", "Event", &["ev"]),
            resource("shop.example.com", "po", "Parcel", &[]),
        ]
    }

    fn found(noun: &str) -> Result<String, Unknown> {
        find(&some(), noun).map(Resource::full_name)
    }

    #[test]
    fn a_resource_has_many_names() {
        for noun in ["pods", "pod", "Pod", "PODS", "pods.v1", "pod.v1", "pods."] {
            assert_eq!(found(noun).unwrap(), "pods", "{noun}");
        }
        for noun in ["deploy", "deployments.apps", "deployment.v1.apps", "Deployment.apps"] {
            assert_eq!(found(noun).unwrap(), "deployments.apps", "{noun}");
        }
    }

    #[test]
    fn the_servers_order_decides_and_a_plural_wins() {
        assert_eq!(found("ev").unwrap(), "events");
        assert_eq!(found("events.events.k8s.io").unwrap(), "events.events.k8s.io");
        assert_eq!(found("po").unwrap(), "po.shop.example.com");
    }

    #[test]
    fn what_the_server_does_not_have_is_unknown() {
        for noun in ["", ".", "pods.apps", "deployments.v2.apps"] {
            assert!(found(noun).is_err(), "{noun}");
        }
        let message = find(&some(), "x\x1b[31m").unwrap_err().to_string();
        assert_eq!(message, "the server has no resource of the name `x\\x1b[31m`");
    }

    #[test]
    fn a_path_has_a_namespace_if_the_resource_has_one() {
        let all = some();
        let path = |index: usize, namespace| all[index].path(namespace).unwrap().to_string();
        assert_eq!(path(0, Some("shop")), "/api/v1/namespaces/shop/pods");
        assert_eq!(path(0, None), "/api/v1/pods");
        assert_eq!(path(1, Some("shop")), "/api/v1/nodes");
        assert_eq!(path(3, None), "/apis/apps/v1/deployments");
        assert_eq!(
            all[3].object(Some("a"), "b").unwrap().to_string(),
            "/apis/apps/v1/namespaces/a/deployments/b"
        );
        assert!(all[0].object(Some("a"), "b/c").is_err());
    }
}
