//! The policy `view` is the cluster role of that name, with discovery.

use std::collections::BTreeSet;

use kwasm::policy::{NameSelector, Policy, ResourceRule, Rule, UrlRule};
use serde_json::Value;

use crate::support::real;

/// The requests that rules cover, one text for each verb and resource or URL.
type Covered = BTreeSet<String>;

fn texts(rule: &Value, key: &str) -> Vec<String> {
    let items = rule[key].as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn product(groups: &[String], resources: &[String], verbs: &[String]) -> Vec<String> {
    let of_group = |group: &String| -> Vec<String> {
        resources.iter().map(|resource| format!("{group}|{resource}")).collect()
    };
    let named: Vec<String> = groups.iter().flat_map(of_group).collect();
    named.iter().flat_map(|named| verbs.iter().map(move |verb| format!("{verb} {named}"))).collect()
}

/// Returns the requests that a cluster role of the server covers.
fn theirs(role: &Value) -> Covered {
    let mut covered = Covered::new();
    for rule in role["rules"].as_array().unwrap() {
        assert_eq!(rule["resourceNames"], Value::Null, "{rule}");
        let verbs = texts(rule, "verbs");
        covered.extend(product(&texts(rule, "apiGroups"), &texts(rule, "resources"), &verbs));
        covered.extend(product(&["url".to_owned()], &texts(rule, "nonResourceURLs"), &verbs));
    }
    covered
}

/// Returns the requests that a policy covers, in any namespace.
fn ours(policy: &Policy) -> Covered {
    let mut covered = Covered::new();
    for rule in policy.rules() {
        match rule {
            Rule::Resources(ResourceRule {
                verbs,
                api_groups,
                resources,
                resource_names,
                namespaces,
                except,
            }) => {
                assert!(
                    resource_names.is_empty() && except.is_empty() && *namespaces == NameSelector::All,
                    "{rule}"
                );
                covered.extend(product(api_groups, resources, verbs));
            }
            Rule::Urls(UrlRule { verbs, urls }) => covered.extend(product(&["url".to_owned()], urls, verbs)),
        }
    }
    covered
}

#[test]
fn the_policy_view_is_the_servers_cluster_role_view_with_discovery() {
    let Some(real) = real("the_policy_view_is_the_servers_cluster_role_view_with_discovery") else { return };
    let role = |name: &str| -> Value {
        let output = real.kubectl().args(["get", "clusterrole", name, "-o", "json"]).output().unwrap();
        assert!(output.status.success(), "{name}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let mut theirs_all = theirs(&role("view"));
    assert!(theirs_all.len() > 100, "it is aggregated: {theirs_all:?}");
    theirs_all.extend(theirs(&role("system:discovery")));
    let ours = ours(&Policy::builtin("view").unwrap().unwrap());
    let missing: Vec<_> = theirs_all.difference(&ours).collect();
    let more: Vec<_> = ours.difference(&theirs_all).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing: {missing:#?}\nmore: {more:#?}");
}
