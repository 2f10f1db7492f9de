//! Manifests of roles and bindings in YAML, as one would write them by hand.

use std::fmt;

use super::account::ServiceAccount;
use crate::policy::flow::{List, Word};
use crate::policy::rule::Rule;

/// Where a role holds.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Scope {
    /// In all namespaces and outside of them.
    Cluster,
    /// In one namespace.
    Namespace(String),
}

impl Scope {
    fn kind(&self) -> &'static str {
        match self {
            Self::Cluster => "ClusterRole",
            Self::Namespace(_) => "Role",
        }
    }

    fn namespace(&self) -> Option<&str> {
        match self {
            Self::Cluster => None,
            Self::Namespace(name) => Some(name),
        }
    }
}

/// The API group of roles and bindings.
const GROUP: &str = "rbac.authorization.k8s.io";

/// Writes a service account.
pub(super) fn account(f: &mut fmt::Formatter<'_>, account: &ServiceAccount) -> fmt::Result {
    head(f, "v1", "ServiceAccount", &account.name, Some(&account.namespace))
}

/// Writes the role of a scope.
pub(super) fn role(f: &mut fmt::Formatter<'_>, name: &str, scope: &Scope, rules: &[Rule]) -> fmt::Result {
    head(f, &format!("{GROUP}/v1"), scope.kind(), name, scope.namespace())?;
    f.write_str("rules:\n")?;
    for rule in rules {
        match rule {
            Rule::Resources(rule) => {
                writeln!(f, "  - apiGroups: {}", List(&rule.api_groups))?;
                list(f, "resources", &rule.resources)?;
                if !rule.resource_names.is_empty() {
                    list(f, "resourceNames", &rule.resource_names)?;
                }
                writeln!(f, "    verbs: {}", List(&rule.verbs))?;
            }
            Rule::Urls(rule) => {
                writeln!(f, "  - nonResourceURLs: {}", List(&rule.urls))?;
                writeln!(f, "    verbs: {}", List(&rule.verbs))?;
            }
        }
    }
    Ok(())
}

/// Writes the binding of a scope's role. It is named after its account, so that another account's binding does not
/// replace it.
pub(super) fn binding(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    scope: &Scope,
    account: &ServiceAccount,
) -> fmt::Result {
    let kind = scope.kind();
    head(
        f,
        &format!("{GROUP}/v1"),
        &format!("{kind}Binding"),
        &format!("{name}:{account}"),
        scope.namespace(),
    )?;
    writeln!(f, "roleRef:\n  apiGroup: {GROUP}\n  kind: {kind}\n  name: {}", Word(name))?;
    writeln!(f, "subjects:\n  - kind: ServiceAccount")?;
    writeln!(f, "    namespace: {}\n    name: {}", Word(&account.namespace), Word(&account.name))
}

fn head(
    f: &mut fmt::Formatter<'_>,
    version: &str,
    kind: &str,
    name: &str,
    namespace: Option<&str>,
) -> fmt::Result {
    writeln!(f, "---\napiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {}", Word(name))?;
    if let Some(namespace) = namespace {
        writeln!(f, "  namespace: {}", Word(namespace))?;
    }
    f.write_str("  labels: {app.kubernetes.io/managed-by: kwasm}\n")
}

/// The longest list on one line, in characters.
const LINE: usize = 100;

/// Writes a list, with an item on each line if it is long: what a wildcard stands for is.
fn list(f: &mut fmt::Formatter<'_>, key: &str, items: &[String]) -> fmt::Result {
    let line = List(items).to_string();
    if line.chars().count() <= LINE {
        return writeln!(f, "    {key}: {line}");
    }
    writeln!(f, "    {key}:")?;
    items.iter().try_for_each(|item| writeln!(f, "      - {}", Word(item)))
}
