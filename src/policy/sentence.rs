//! Rules in words, for tables that a user reads before granting them.

use super::rule::{NameSelector, ResourceRule, Rule, UrlRule};

impl Rule {
    /// Returns the rule in words, e.g. `get, list pods, services in the current namespace`.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Resources(rule) => resources(rule),
            Self::Urls(UrlRule { verbs, urls }) => {
                format!("{} {}", words(verbs, "all methods of"), urls.join(", "))
            }
        }
    }
}

fn resources(rule: &ResourceRule) -> String {
    let named = |words: &str, listed: &[String]| {
        if listed.is_empty() { String::new() } else { format!(" {words} {}", listed.join(", ")) }
    };
    [
        format!("{} {}", words(&rule.verbs, "all verbs on"), words(&rule.resources, "all resources")),
        groups(&rule.api_groups),
        named("named", &rule.resource_names),
        named("except", &rule.except),
        namespaces(&rule.namespaces),
    ]
    .concat()
}

/// Returns the groups in words. The core group alone is not named: it is where a resource without a group is.
fn groups(groups: &[String]) -> String {
    let groups: Vec<&str> =
        groups.iter().map(|group| if group.is_empty() { "core" } else { group }).collect();
    match groups.as_slice() {
        ["core"] => String::new(),
        _ if groups.contains(&"*") => " of all API groups".to_owned(),
        [group] => format!(" of {group}"),
        groups => format!(" of the API groups {}", groups.join(", ")),
    }
}

fn words(listed: &[String], all: &str) -> String {
    if listed.iter().any(|entry| entry == "*") { all.to_owned() } else { listed.join(", ") }
}

fn namespaces(selector: &NameSelector) -> String {
    match selector {
        NameSelector::All => " in all namespaces".to_owned(),
        NameSelector::Some { current: true, names } if names.is_empty() => {
            " in the current namespace".to_owned()
        }
        NameSelector::Some { current, names } => {
            let current = if *current { "the current namespace and " } else { "" };
            format!(" in {current}namespace {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::samples;

    #[test]
    fn a_rule_is_put_into_words() {
        for (rule, words) in [
            (
                "{apiGroups: [''], resources: [secrets], verbs: [get], namespaces: [current]}",
                "get secrets in the current namespace",
            ),
            (
                "{apiGroups: [apps], resources: [deployments], verbs: [get, list], namespaces: [current, a], resourceNames: [web]}",
                "get, list deployments of apps named web in the current namespace and namespace a",
            ),
            (
                "{apiGroups: ['*'], resources: ['*'], verbs: ['*'], except: [secrets]}",
                "all verbs on all resources of all API groups except secrets in all namespaces",
            ),
            ("{nonResourceURLs: [/version, '/openapi/*'], verbs: [get]}", "get /version, /openapi/*"),
        ] {
            assert_eq!(samples::rules(rule).rules()[0].sentence(), words);
        }
    }
}
