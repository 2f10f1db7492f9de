//! The resources of an API server, with which a rule that excludes some of them is written out as one that lists
//! the others: RBAC cannot exclude anything.

use std::collections::{BTreeMap, BTreeSet};

use super::format::{GROUP, LABEL};
use super::rule::{ResourceRule, matches};

/// The resources of an API server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inventory {
    /// The resources by API group. Subresources are named as in RBAC, e.g. `pods/log`.
    resources: BTreeMap<String, BTreeSet<String>>,
    /// The versions of API groups whose resources the server did not list.
    unlisted: Vec<String>,
}

impl Inventory {
    /// Adds a resource. A name that no resource can have is ignored: written into a role, an asterisk would be
    /// a wildcard.
    pub fn add(&mut self, group: &str, resource: &str) {
        let (of, subresource) = resource.split_once('/').unwrap_or((resource, "x"));
        if group != "*" && GROUP.fits(group) && LABEL.fits(of) && LABEL.fits(subresource) {
            self.resources.entry(group.to_owned()).or_default().insert(resource.to_owned());
        }
    }

    /// Records that the server did not list the resources of a version of an API group.
    pub fn miss(&mut self, version: &str) {
        if version.split('/').all(|part| GROUP.fits(part)) {
            self.unlisted.push(version.to_owned());
        }
    }

    /// Returns the versions of API groups whose resources the server did not list.
    #[must_use]
    pub fn unlisted(&self) -> &[String] {
        &self.unlisted
    }

    /// Returns rules that together cover what `rule` does of the resources that the server has, and exclude
    /// nothing.
    #[must_use]
    pub(super) fn write_out(&self, rule: &ResourceRule) -> Vec<ResourceRule> {
        let (mut kept, mut wildcards) = (Vec::new(), Vec::new());
        for entry in rule.resources.iter().filter(|entry| !is_excluded(entry, &rule.except)) {
            if is_narrowed(entry, &rule.except) { wildcards.push(entry) } else { kept.push(entry.clone()) }
        }
        let plain = |api_groups: Vec<String>, resources: Vec<String>| ResourceRule {
            api_groups,
            resources,
            except: Vec::new(),
            ..rule.clone()
        };
        let mut rules = Vec::new();
        if !kept.is_empty() {
            rules.push(plain(rule.api_groups.clone(), kept));
        }
        let is_covered =
            |group: &String| rule.api_groups.iter().any(|listed| listed == "*" || listed == group);
        for (group, resources) in
            self.resources.iter().filter(|(group, _)| !wildcards.is_empty() && is_covered(group))
        {
            let is_left = |resource: &&String| {
                wildcards.iter().any(|wildcard| names(wildcard, resource))
                    && !is_excluded(resource, &rule.except)
            };
            let left: Vec<String> = resources.iter().filter(is_left).cloned().collect();
            if !left.is_empty() {
                rules.push(plain(vec![group.clone()], left));
            }
        }
        rules
    }
}

/// Returns whether a rule can only be written without `except` if it is known which resources there are.
pub(super) fn needs_inventory(rule: &ResourceRule) -> bool {
    let except = &rule.except;
    rule.resources.iter().any(|entry| !is_excluded(entry, except) && is_narrowed(entry, except))
}

/// Returns whether an entry of `resources` names a resource, e.g. `*/log` names `pods/log`.
fn names(entry: &str, resource: &str) -> bool {
    let (of, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    matches(entry, of, subresource)
}

/// Returns whether `except` excludes everything that an entry of `resources` names.
fn is_excluded(entry: &str, except: &[String]) -> bool {
    // `*/log` is excluded by itself alone, and names itself as it names every other resource's.
    except.iter().any(|excepted| names(excepted, entry))
}

/// Returns whether `except` excludes some of what a wildcard names.
fn is_narrowed(entry: &str, except: &[String]) -> bool {
    entry == "*" && !except.is_empty()
        || entry.starts_with("*/") && except.iter().any(|excepted| names(entry, excepted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory() -> Inventory {
        let mut inventory = Inventory::default();
        for resource in ["pods", "pods/exec", "pods/log", "secrets", "replicationcontrollers/scale"] {
            inventory.add("", resource);
        }
        for resource in ["deployments", "deployments/scale", "deployments/status"] {
            inventory.add("apps", resource);
        }
        inventory
    }

    /// Returns the rules that are written for a rule, as `GROUPS: RESOURCES`.
    fn written(groups: &[&str], resources: &[&str], except: &[&str]) -> (bool, Vec<String>) {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let rule = ResourceRule {
            verbs: vec!["get".to_owned()],
            api_groups: owned(groups),
            resources: owned(resources),
            except: owned(except),
            ..ResourceRule::default()
        };
        let rules = inventory().write_out(&rule);
        assert!(rules.iter().all(|rule| rule.except.is_empty() && rule.verbs == ["get"]));
        let shown =
            rules.iter().map(|rule| format!("{}: {}", rule.api_groups.join(" "), rule.resources.join(" ")));
        (needs_inventory(&rule), shown.collect())
    }

    #[test]
    fn a_wildcard_is_written_out_by_group_without_what_is_excluded() {
        let (needed, rules) = written(&["*"], &["*"], &["secrets", "*/exec"]);
        assert!(needed);
        assert_eq!(
            rules,
            [
                ": pods pods/log replicationcontrollers/scale",
                "apps: deployments deployments/scale deployments/status"
            ]
        );
        let (_, rules) = written(&["apps"], &["*"], &["deployments"]);
        assert_eq!(rules, ["apps: deployments/scale deployments/status"]);
        let (_, rules) = written(&["apps", ""], &["*/scale"], &["deployments/scale"]);
        assert_eq!(rules, [": replicationcontrollers/scale"]);
        let (_, rules) = written(&["batch"], &["*"], &["secrets"]);
        assert_eq!(rules, [""; 0]);
    }

    #[test]
    fn what_has_no_wildcard_or_is_not_touched_needs_no_server() {
        for (resources, except, left) in [
            (&["pods", "secrets"][..], &["secrets"][..], "*: pods"),
            (&["pods/log", "pods/exec"], &["*/exec"], "*: pods/log"),
            (&["*/scale"], &["deployments", "*/status"], "*: */scale"),
            (&["*/scale", "pods"], &["*/scale"], "*: pods"),
            (&["*"], &[], "*: *"),
        ] {
            let (needed, rules) = written(&["*"], resources, except);
            assert!(!needed, "{resources:?}");
            assert_eq!(rules, [left], "{resources:?}");
        }
        assert_eq!(written(&["*"], &["secrets"], &["secrets"]), (false, Vec::new()));
    }

    #[test]
    fn what_is_kept_and_what_is_written_out_are_rules_of_their_own() {
        let (needed, rules) = written(&["*"], &["things", "*/scale"], &["deployments/scale"]);
        assert!(needed);
        assert_eq!(rules, ["*: things", ": replicationcontrollers/scale"]);
    }

    #[test]
    fn a_name_that_no_resource_has_is_ignored() {
        let mut inventory = Inventory::default();
        for (group, resource) in
            [("", "*"), ("", "*/exec"), ("*", "pods"), ("", "pods/"), ("", "a/b/c"), ("", ""), ("", "x\ny")]
        {
            inventory.add(group, resource);
        }
        assert_eq!(inventory, Inventory::default());
    }
}
