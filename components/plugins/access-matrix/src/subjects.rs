//! Who may do what with one resource, by roles and bindings.

use crate::matrix::{Access, Matrix, Named, Verb};
use kube_guest::{Cluster, Discovery, Resource};
use plugin_kit::rbac::{self, Binding, Role, Subject};
use plugin_kit::{Explain, Failure, Missing};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

const JSON: &str = "application/json";

/// A user, a group or a service account, in the order of the names.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Who {
    name: String,
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
}

impl Named for Who {
    const HEADINGS: &'static [&'static str] = &["NAME", "KIND", "SA-NAMESPACE"];

    fn cells(&self) -> Vec<&str> {
        vec![&self.name, &self.kind, &self.namespace]
    }
}

/// Reads who may do what with a resource, or with one object of it. Without a namespace only what is granted in the whole cluster
/// counts.
pub(crate) fn read(
    cluster: &Cluster,
    verbs: Vec<Verb>,
    namespace: Option<&str>,
    (noun, object): (&str, &str),
) -> Result<(Matrix<Who>, Missing), Failure> {
    let of_namespace = namespace.map(|namespace| ("roles", "rolebindings", Some(namespace)));
    let places: Vec<_> =
        [("clusterroles", "clusterrolebindings", None)].into_iter().chain(of_namespace).collect();
    let (mut roles, mut bindings) = (Vec::new(), Vec::new());
    for (role, binding, namespace) in &places {
        roles.push(rbac::path(role, *namespace)?);
        bindings.push(rbac::path(binding, *namespace)?);
    }
    let roles = cluster.begin_lists::<Role>(roles, JSON);
    let bindings = cluster.begin_lists::<Binding>(bindings, JSON);
    let found = Discovery::load(cluster).of("the server's resources")?;
    let mut judge = Judge::new(&verbs, found.find(noun)?, object);
    let mut missing = Missing::default();
    for ((name, ..), list) in places.iter().zip(roles.finish()) {
        match list {
            Ok(list) => list.items.iter().for_each(|role| judge.add_role(role)),
            Err(error) => missing.add(name, &error),
        }
    }
    for ((_, name, _), list) in places.iter().zip(bindings.finish()) {
        match list {
            Ok(list) => list.items.into_iter().for_each(|binding| judge.add_binding(binding)),
            Err(error) => missing.add(name, &error),
        }
    }
    let rows = judge.rows();
    Ok((Matrix { verbs, rows }, missing))
}

/// Collects the roles, then who has them.
struct Judge<'a> {
    verbs: &'a [Verb],
    resource: &'a Resource,
    object: &'a str,
    /// Which verbs a role allows, by its kind and name.
    roles: HashMap<(&'static str, String), Vec<bool>>,
    subjects: BTreeMap<Who, Vec<bool>>,
}

impl<'a> Judge<'a> {
    fn new(verbs: &'a [Verb], resource: &'a Resource, object: &'a str) -> Self {
        Self { verbs, resource, object, roles: HashMap::new(), subjects: BTreeMap::new() }
    }

    fn add_role(&mut self, role: &Role) {
        let mut allowed = vec![false; self.verbs.len()];
        for rule in role.rules.iter().flatten() {
            if rule.has_resource(&self.resource.group, &self.resource.name, self.object) {
                for (allowed, verb) in allowed.iter_mut().zip(self.verbs) {
                    *allowed |= rule.has_verb(verb.name());
                }
            }
        }
        if allowed.contains(&true) {
            let kind = if role.metadata.namespace.is_empty() { "ClusterRole" } else { "Role" };
            self.roles.insert((kind, role.metadata.name.clone()), allowed);
        }
    }

    fn add_binding(&mut self, binding: Binding) {
        let kind = if binding.role_ref.kind == "Role" { "Role" } else { "ClusterRole" };
        let Some(allowed) = self.roles.get(&(kind, binding.role_ref.name)) else { return };
        for Subject { kind, name, namespace, .. } in binding.subjects.into_iter().flatten() {
            let of_subject = self.subjects.entry(Who { name, kind, namespace });
            let of_subject = of_subject.or_insert_with(|| vec![false; allowed.len()]);
            for (mine, more) in of_subject.iter_mut().zip(allowed) {
                *mine |= *more;
            }
        }
    }

    fn rows(self) -> Vec<(Who, Vec<Access>)> {
        let access = |allowed| if allowed { Access::Yes } else { Access::No };
        let row = |(who, allowed): (Who, Vec<bool>)| (who, allowed.into_iter().map(access).collect());
        self.subjects.into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(namespace: &str, name: &str, rules: &str) -> Role {
        serde_json::from_str(&format!(
            r#"{{"metadata":{{"namespace":"{namespace}","name":"{name}"}},"rules":{rules}}}"#
        ))
        .unwrap()
    }

    fn binding(kind: &str, role: &str, subjects: &str) -> Binding {
        serde_json::from_str(&format!(
            r#"{{"roleRef":{{"kind":"{kind}","name":"{role}"}},"subjects":{subjects}}}"#
        ))
        .unwrap()
    }

    const EVE: &str = r#"[{"kind":"User","name":"eve"}]"#;

    fn rows(object: &str, roles: &[Role], bindings: Vec<Binding>) -> Vec<String> {
        let verbs = Verb::list("list,create,delete").unwrap();
        let resource = Resource { group: "apps".into(), name: "deployments".into(), ..Resource::default() };
        let mut judge = Judge::new(&verbs, &resource, object);
        for role in roles {
            judge.add_role(role);
        }
        for binding in bindings {
            judge.add_binding(binding);
        }
        let text = |(who, access): (Who, Vec<Access>)| {
            let signs: String =
                access.iter().map(|access| if *access == Access::Yes { '+' } else { '-' }).collect();
            format!("{} {} {}", who.cells().join(" ").trim_end(), signs, access.len())
        };
        judge.rows().into_iter().map(text).collect()
    }

    #[test]
    fn what_several_roles_allow_is_added_up() {
        let roles = [
            role("", "list", r#"[{"verbs":["list"],"apiGroups":["apps"],"resources":["deployments"]}]"#),
            role("shop", "list", r#"[{"verbs":["*"],"apiGroups":["apps"],"resources":["*"]}]"#),
            role("", "create", r#"[{"verbs":["create"],"apiGroups":["*"],"resources":["deployments"]}]"#),
        ];
        let bindings = vec![
            binding("ClusterRole", "list", EVE),
            binding("ClusterRole", "create", EVE),
            binding("Role", "list", r#"[{"kind":"ServiceAccount","name":"ci","namespace":"shop"}]"#),
            binding("ClusterRole", "list", "null"),
        ];
        assert_eq!(rows("", &roles, bindings), ["ci ServiceAccount shop +++ 3", "eve User ++- 3"]);
    }

    #[test]
    fn another_group_another_object_and_another_resource_give_nothing() {
        let roles = [
            role("", "group", r#"[{"verbs":["*"],"apiGroups":[""],"resources":["deployments"]}]"#),
            role("", "other", r#"[{"verbs":["*"],"apiGroups":["apps"],"resources":["statefulsets"]}]"#),
            role(
                "",
                "one",
                r#"[{"verbs":["delete"],"apiGroups":["apps"],"resources":["deployments"],"resourceNames":["web"]}]"#,
            ),
        ];
        let bindings =
            || ["group", "other", "one"].map(|name| binding("ClusterRole", name, EVE)).into_iter().collect();
        assert!(rows("", &roles, bindings()).is_empty());
        assert!(rows("db", &roles, bindings()).is_empty());
        assert_eq!(rows("web", &roles, bindings()), ["eve User --+ 3"]);
    }
}
