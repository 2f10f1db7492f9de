//! The tables, and the document.

use crate::action::{Action, Target};
use crate::judge::Found;
use kube_guest::for_terminal_line;
use plugin_kit::rbac::{Binding, RoleRef, Subject};
use plugin_kit::{Cell, Style, Table};
use serde::Serialize;
use std::io::{self, Write};

/// How the tables are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    pub(crate) style: Style,
    /// Whether the roles are shown too.
    pub(crate) wide: bool,
    /// Whether all roles and bindings are known, so that nothing found means that there is nothing.
    pub(crate) complete: bool,
}

impl Printer {
    /// Prints a table of the bindings in namespaces, and one of those of the cluster.
    pub(crate) fn print(self, found: &Found, action: &Action, out: &mut impl Write) -> io::Result<()> {
        // A path that is no resource is only allowed in the whole cluster.
        if matches!(action.target, Target::Resource { .. }) {
            self.section(&found.of_namespaces, true, action, out)?;
            if self.complete || !found.of_namespaces.is_empty() {
                writeln!(out)?;
            }
        }
        self.section(&found.of_cluster, false, action, out)
    }

    fn section(
        self,
        bindings: &[Binding],
        namespaced: bool,
        action: &Action,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let (kind, heading) = if namespaced {
            ("RoleBindings", "ROLEBINDING")
        } else {
            ("ClusterRoleBindings", "CLUSTERROLEBINDING")
        };
        if bindings.is_empty() {
            if self.complete {
                let action = action.to_string();
                let action = for_terminal_line(&action);
                writeln!(out, "No subjects found with permissions to {action} assigned through {kind}")?;
            }
            return Ok(());
        }
        let shown = [true, self.wide, namespaced, true, true, true];
        let all = [heading, "ROLE", "NAMESPACE", "SUBJECT", "TYPE", "SA-NAMESPACE"];
        let headings: Vec<&str> =
            all.into_iter().zip(shown).filter(|(_, shown)| *shown).map(|(name, _)| name).collect();
        let mut table = Table::new(headings);
        for binding in bindings {
            for subject in binding.subjects.iter().flatten() {
                let cells = row(binding, subject).into_iter().zip(shown).filter(|(_, shown)| *shown);
                table.row(cells.map(|(cell, _)| cell));
            }
        }
        table.print(self.style, true, out)
    }
}

fn row(binding: &Binding, subject: &Subject) -> [Cell; 6] {
    let role = format!("{}/{}", binding.role_ref.kind, binding.role_ref.name);
    let metadata = &binding.metadata;
    let texts =
        [&metadata.name, &role, &metadata.namespace, &subject.name, &subject.kind, &subject.namespace];
    texts.map(Cell::new)
}

/// What is printed as JSON or YAML.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role_bindings: Option<Vec<Bound<'a>>>,
    cluster_role_bindings: Vec<Bound<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bound<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    role_ref: &'a RoleRef,
    subjects: &'a [Subject],
}

/// Returns the document, in which bindings without subjects are left out. About paths it has no bindings in namespaces.
pub(crate) fn document(found: &Found, about_paths: bool) -> Document<'_> {
    Document {
        role_bindings: (!about_paths).then(|| bound(&found.of_namespaces)),
        cluster_role_bindings: bound(&found.of_cluster),
    }
}

fn bound(bindings: &[Binding]) -> Vec<Bound<'_>> {
    bindings
        .iter()
        .filter(|binding| binding.subjects.as_ref().is_some_and(|subjects| !subjects.is_empty()))
        .map(|binding| Bound {
            name: &binding.metadata.name,
            namespace: &binding.metadata.namespace,
            role_ref: &binding.role_ref,
            subjects: binding.subjects.as_deref().unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        let of = |text| vec![serde_json::from_str(text).unwrap()];
        Found {
            of_namespaces: of(
                r#"{"metadata":{"namespace":"shop","name":"readers"},"roleRef":{"kind":"Role","name":"reader"},
                "subjects":[{"kind":"ServiceAccount","name":"web\u001b","namespace":"shop"}]}"#,
            ),
            of_cluster: of(
                r#"{"metadata":{"name":"empty"},"roleRef":{"kind":"ClusterRole","name":"view"},"subjects":null}"#,
            ),
        }
    }

    fn printed(found: &Found, action: &Action, wide: bool, complete: bool) -> String {
        let mut out = Vec::new();
        Printer { style: Style::PLAIN, wide, complete }.print(found, action, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn action(target: Target) -> Action {
        Action { verb: "get".to_owned(), target }
    }

    fn pods() -> Action {
        let (noun, name) = ("pods".to_owned(), "web".to_owned());
        action(Target::Resource { noun, name, subresource: None })
    }

    #[test]
    fn bindings_of_namespaces_and_of_the_cluster_have_tables_of_their_own() {
        let expected = "\
ROLEBINDING   ROLE          NAMESPACE   SUBJECT   TYPE             SA-NAMESPACE
readers       Role/reader   shop        web\\x1b   ServiceAccount   shop

CLUSTERROLEBINDING   ROLE   SUBJECT   TYPE   SA-NAMESPACE
";
        assert_eq!(printed(&found(), &pods(), true, true), expected);
        assert!(printed(&found(), &pods(), false, true).starts_with("ROLEBINDING   NAMESPACE   SUBJECT"));
    }

    #[test]
    fn nothing_found_is_said_unless_something_is_unknown() {
        let expected = "\
No subjects found with permissions to get pods/web assigned through RoleBindings

No subjects found with permissions to get pods/web assigned through ClusterRoleBindings
";
        assert_eq!(printed(&Found::default(), &pods(), false, true), expected);
        assert_eq!(printed(&Found::default(), &pods(), false, false), "");
        let path = action(Target::Path("/logs".to_owned()));
        let text = printed(&Found::default(), &path, false, true);
        assert_eq!(
            text,
            "No subjects found with permissions to get /logs assigned through ClusterRoleBindings\n"
        );
    }

    #[test]
    fn the_document_has_bindings_with_subjects_only() {
        let found = found();
        let json = serde_json::to_value(document(&found, false)).unwrap();
        let expected = serde_json::json!({
            "roleBindings": [{
                "name": "readers",
                "namespace": "shop",
                "roleRef": {"apiGroup": "", "kind": "Role", "name": "reader"},
                "subjects": [{"kind": "ServiceAccount", "name": "web\u{1b}", "namespace": "shop"}],
            }],
            "clusterRoleBindings": [],
        });
        assert_eq!(json, expected);
        assert!(serde_json::to_value(document(&found, true)).unwrap().get("roleBindings").is_none());
    }
}
