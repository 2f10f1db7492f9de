//! Which roles allow an action, and who has them.

use crate::resolve::Wanted;
use plugin_kit::rbac::{Binding, Role};
use std::collections::HashSet;

/// The roles that allow the action: namespaces with names; that of a cluster role is empty.
#[derive(Debug, Default)]
pub(crate) struct Granting {
    roles: HashSet<(String, String)>,
}

impl Granting {
    /// Adds those that allow it.
    pub(crate) fn add(&mut self, roles: &[Role], wanted: &Wanted) {
        for role in roles {
            if role.rules.iter().flatten().any(|rule| wanted.is_allowed_by(rule)) {
                self.roles.insert((role.metadata.namespace.clone(), role.metadata.name.clone()));
            }
        }
    }

    fn is_of(&self, binding: &Binding) -> bool {
        let namespace =
            if binding.role_ref.kind == "Role" { binding.metadata.namespace.as_str() } else { "" };
        self.roles.contains(&(namespace.to_owned(), binding.role_ref.name.clone()))
    }
}

/// The bindings of those roles.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) of_namespaces: Vec<Binding>,
    pub(crate) of_cluster: Vec<Binding>,
}

impl Found {
    /// Adds the bindings of roles that allow the action.
    pub(crate) fn add(&mut self, bindings: Vec<Binding>, granting: &Granting) {
        for binding in bindings.into_iter().filter(|binding| granting.is_of(binding)) {
            let place = if binding.metadata.namespace.is_empty() {
                &mut self.of_cluster
            } else {
                &mut self.of_namespaces
            };
            place.push(binding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(namespace: &str, name: &str, verbs: &str) -> Role {
        let text = format!(
            r#"{{"metadata":{{"namespace":"{namespace}","name":"{name}"}},
            "rules":[{{"verbs":{verbs},"apiGroups":[""],"resources":["pods"]}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn binding(namespace: &str, name: &str, kind: &str, role: &str) -> Binding {
        let text = format!(
            r#"{{"metadata":{{"namespace":"{namespace}","name":"{name}"}},
            "roleRef":{{"kind":"{kind}","name":"{role}"}},"subjects":null}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn names(bindings: &[Binding]) -> Vec<&str> {
        bindings.iter().map(|binding| binding.metadata.name.as_str()).collect()
    }

    #[test]
    fn bindings_of_the_roles_that_allow_it_are_found() {
        let mut granting = Granting::default();
        let wanted = Wanted::resource("get", "", "pods", "");
        granting
            .add(&[role("shop", "reader", r#"["get"]"#), role("shop", "writer", r#"["create"]"#)], &wanted);
        granting.add(&[role("", "view", r#"["*"]"#), role("", "none", "null")], &wanted);
        let mut found = Found::default();
        found.add(
            vec![
                binding("shop", "by-role", "Role", "reader"),
                binding("shop", "by-cluster-role", "ClusterRole", "view"),
                binding("shop", "another-verb", "Role", "writer"),
                binding("other", "another-namespace", "Role", "reader"),
                binding("shop", "another-kind", "ClusterRole", "reader"),
                binding("shop", "no-such-role", "Role", "gone"),
            ],
            &granting,
        );
        found.add(
            vec![
                binding("", "everywhere", "ClusterRole", "view"),
                binding("", "nothing", "ClusterRole", "none"),
                binding("", "a-role-of-a-namespace", "ClusterRole", "reader"),
            ],
            &granting,
        );
        assert_eq!(names(&found.of_namespaces), ["by-role", "by-cluster-role"]);
        assert_eq!(names(&found.of_cluster), ["everywhere"]);
    }

    #[test]
    fn a_path_is_allowed_by_its_own_rules_only() {
        let logs =
            r#"{"metadata":{"name":"logs"},"rules":[{"verbs":["get"],"nonResourceURLs":["/logs/*"]}]}"#;
        let roles: [Role; 2] = [serde_json::from_str(logs).unwrap(), role("", "pods", r#"["*"]"#)];
        let allowed = |path: &str| {
            let mut granting = Granting::default();
            granting.add(&roles, &Wanted::path("get", path));
            granting.roles.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(allowed("/logs/kube"), ["logs"]);
        assert!(allowed("/logs").is_empty());
    }
}
