//! Rules in three forms: as the judge has them, as a policy file has them, and as RBAC has them.

use std::collections::BTreeMap;

use kwasm::policy::{Context, NameSelector, Policy, RequestInfo, ResourceRule, Rule, UrlRule};
use serde_json::{Value, json};

use super::CURRENT;

/// Returns the policy file that has these rules.
pub(super) fn text(rules: &[Rule]) -> String {
    let head =
        "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: generated}\nspec: {kubernetes: {rules: [";
    let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
    format!("{head}\n  {}\n]}}}}\n", rules.join(",\n  "))
}

/// Returns the policy, read from its file.
pub(super) fn policy(rules: &[Rule]) -> Policy {
    let text = text(rules);
    let policy = Policy::read("generated.yaml", &text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    assert_eq!(policy.rules(), rules, "{text}");
    policy
}

/// One subject of RBAC with its roles: for each namespace the rules that are bound there, for the empty one those that
/// are bound in the whole cluster.
pub(super) type Subject = BTreeMap<String, Vec<Value>>;

/// A policy, in terms of RBAC.
///
/// `namespaces` are role bindings. RBAC cannot express `except`: a rule with it covers what one subject may
/// do and another may not.
#[derive(Debug, Default)]
pub(super) struct Rbac {
    /// The subject of all rules without `except`.
    pub(super) plain: Subject,
    /// For each rule with `except` who may do what it covers, and who may do what it excepts.
    pub(super) pairs: Vec<(Subject, Subject)>,
}

impl Rbac {
    pub(super) fn of(rules: &[Rule]) -> Self {
        let mut rbac = Self::default();
        for rule in rules {
            match rule {
                Rule::Urls(UrlRule { verbs, urls }) => {
                    let rule = json!({"verbs": verbs, "nonResourceURLs": urls});
                    rbac.plain.entry(String::new()).or_default().push(rule);
                }
                Rule::Resources(rule) if rule.except.is_empty() => {
                    bind(&mut rbac.plain, rule, &json_of(rule));
                }
                Rule::Resources(rule) => {
                    let excepted = ResourceRule {
                        resources: rule.except.clone(),
                        resource_names: Vec::new(),
                        ..rule.clone()
                    };
                    let (mut granted, mut taken_out) = (Subject::new(), Subject::new());
                    bind(&mut granted, rule, &json_of(rule));
                    bind(&mut taken_out, rule, &json_of(&excepted));
                    rbac.pairs.push((granted, taken_out));
                }
            }
        }
        rbac
    }

    /// Returns all subjects in the order that [`Rbac::allowed`] expects.
    pub(super) fn subjects(&self) -> Vec<&Subject> {
        let pairs = self.pairs.iter().flat_map(|(granted, taken_out)| [granted, taken_out]);
        [&self.plain].into_iter().chain(pairs).collect()
    }

    /// Returns whether the policy allows a request, given what each of the subjects may do.
    pub(super) fn allowed(&self, subjects: &[bool]) -> bool {
        assert_eq!(subjects.len(), 1 + 2 * self.pairs.len());
        subjects[0] || subjects[1..].chunks(2).any(|pair| pair[0] && !pair[1])
    }
}

fn bind(subject: &mut Subject, rule: &ResourceRule, json: &Value) {
    let namespaces = match &rule.namespaces {
        NameSelector::All => vec![String::new()],
        NameSelector::Some { current, names } => {
            current.then(|| CURRENT.to_owned()).into_iter().chain(names.iter().cloned()).collect()
        }
    };
    for namespace in namespaces {
        subject.entry(namespace).or_default().push(json.clone());
    }
}

fn json_of(rule: &ResourceRule) -> Value {
    json!({
        "verbs": rule.verbs,
        "apiGroups": rule.api_groups,
        "resources": rule.resources,
        "resourceNames": rule.resource_names,
    })
}

/// The features of RBAC's rules, and of ours.
pub(super) const FEATURES: &[&str] = &[
    "verbs: *",
    "verbs: named",
    "apiGroups: *",
    "apiGroups: \"\"",
    "apiGroups: named",
    "resources: *",
    "resources: pods",
    "resources: pods/log",
    "resources: */log",
    "resourceNames",
    "namespaces: *",
    "namespaces: current",
    "namespaces: named",
    "namespaces: several",
    "except: pods",
    "except: pods/log",
    "except: */log",
    "nonResourceURLs: *",
    "nonResourceURLs: /x",
    "nonResourceURLs: /x*",
];

/// Returns the [`FEATURES`] of a rule.
pub(super) fn features(rule: &Rule) -> Vec<&'static str> {
    let any = |listed: &[String], is: fn(&str) -> bool| listed.iter().any(|item| is(item));
    let is_star: fn(&str) -> bool = |item| item == "*";
    let is_named: fn(&str) -> bool = |item| item != "*" && !item.is_empty();
    let plain: fn(&str) -> bool = |item| item != "*" && !item.contains('/');
    let of_one: fn(&str) -> bool = |item| item.contains('/') && !item.starts_with('*');
    let of_all: fn(&str) -> bool = |item| item.starts_with("*/");
    let (verbs, mut has) = match rule {
        Rule::Urls(UrlRule { verbs, urls }) => (
            verbs,
            vec![
                any(urls, is_star).then_some("nonResourceURLs: *"),
                any(urls, |url| !url.ends_with('*')).then_some("nonResourceURLs: /x"),
                any(urls, |url| url.len() > 1 && url.ends_with('*')).then_some("nonResourceURLs: /x*"),
            ],
        ),
        Rule::Resources(rule) => {
            let ResourceRule { verbs, api_groups, resources, resource_names, namespaces, except } = rule;
            let (current, named) = match namespaces {
                NameSelector::All => (false, 0),
                NameSelector::Some { current, names } => (*current, names.len()),
            };
            let has = vec![
                any(api_groups, is_star).then_some("apiGroups: *"),
                any(api_groups, str::is_empty).then_some("apiGroups: \"\""),
                any(api_groups, is_named).then_some("apiGroups: named"),
                any(resources, is_star).then_some("resources: *"),
                any(resources, plain).then_some("resources: pods"),
                any(resources, of_one).then_some("resources: pods/log"),
                any(resources, of_all).then_some("resources: */log"),
                (!resource_names.is_empty()).then_some("resourceNames"),
                (*namespaces == NameSelector::All).then_some("namespaces: *"),
                current.then_some("namespaces: current"),
                (named > 0).then_some("namespaces: named"),
                (usize::from(current) + named > 1).then_some("namespaces: several"),
                any(except, plain).then_some("except: pods"),
                any(except, of_one).then_some("except: pods/log"),
                any(except, of_all).then_some("except: */log"),
            ];
            (verbs, has)
        }
    };
    has.push(any(verbs, is_star).then_some("verbs: *"));
    has.push(any(verbs, is_named).then_some("verbs: named"));
    has.into_iter().flatten().collect()
}

/// Every verb that the judge knows, as [`super::decisions`] counts them.
pub(super) const VERBS: &[&str] =
    &["(none)", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "proxy"];

/// The obstacles to a request, each a branch of the judge.
pub(super) const OBSTACLES: &[&str] = &[
    "its verb",
    "its API group",
    "its resource",
    "its subresource",
    "its name",
    "its namespace",
    "what the rule excepts",
    "the verb of a URL",
    "the URL",
];

/// Returns the obstacles that alone prevent a rule from covering a request.
pub(super) fn obstacles(rule: &Rule, info: &RequestInfo, context: &Context) -> Vec<&'static str> {
    let any = || vec!["*".to_owned()];
    let covers = |rule: Rule| rule.covers(info, context);
    match rule {
        Rule::Urls(rule) => [
            ("the verb of a URL", covers(Rule::Urls(UrlRule { verbs: any(), ..rule.clone() }))),
            ("the URL", covers(Rule::Urls(UrlRule { urls: any(), ..rule.clone() }))),
        ]
        .into_iter()
        .filter_map(|(obstacle, alone)| alone.then_some(obstacle))
        .collect(),
        Rule::Resources(rule) => {
            let relaxed = |relax: fn(&mut ResourceRule)| {
                let mut relaxed = rule.clone();
                relax(&mut relaxed);
                covers(Rule::Resources(relaxed))
            };
            let bare = RequestInfo { subresource: String::new(), ..info.clone() };
            [
                ("its verb", relaxed(|rule| rule.verbs = vec!["*".to_owned()])),
                ("its API group", relaxed(|rule| rule.api_groups = vec!["*".to_owned()])),
                ("its resource", relaxed(|rule| rule.resources = vec!["*".to_owned()])),
                ("its subresource", Rule::Resources(rule.clone()).covers(&bare, context)),
                ("its name", relaxed(|rule| rule.resource_names.clear())),
                ("its namespace", relaxed(|rule| rule.namespaces = NameSelector::All)),
                ("what the rule excepts", relaxed(|rule| rule.except.clear())),
            ]
            .into_iter()
            .filter_map(|(obstacle, alone)| alone.then_some(obstacle))
            .collect()
        }
    }
}
