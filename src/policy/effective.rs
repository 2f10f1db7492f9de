//! What several policies together allow, line by line, for users to see. The judge does not need it: it asks
//! each of them.

use std::collections::BTreeSet;

use super::danger::Danger;
use super::judge::{Layers, Policy};
use super::layer::Layer;
use super::rule::{Rule, Words};

/// A rule of what policies together allow.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EffectiveRule {
    /// The rule.
    pub rule: Rule,
    /// The words of the author of the rule from which it comes.
    pub words: Words,
    /// The policies that have this very rule. Empty if none has: then it is what several have in common.
    pub from: Vec<Layer>,
}

/// A rule that a plugin requests and does not get.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Withheld {
    /// The rule.
    pub rule: Rule,
    /// The words of its author.
    pub words: Words,
    /// The policies that do not cover all of it.
    pub by: Vec<Layer>,
}

/// The largest number of effective rules that are worked out. More would help no one who reads them.
const MOST: usize = 1000;

impl Layers {
    /// Returns what the policies together allow, in the order of the request or else of the grant.
    #[must_use]
    pub fn effective_rules(&self) -> Vec<EffectiveRule> {
        let base = self.request.as_ref().unwrap_or(&self.grant);
        let mut effective: Vec<EffectiveRule> = Vec::new();
        for stated in base.stated() {
            let mut parts = vec![stated.rule.clone()];
            for (_, policy) in self.all().filter(|(_, policy)| !std::ptr::eq(*policy, base)) {
                parts = narrowed(&parts, policy);
            }
            for rule in parts {
                if effective.len() < MOST && !effective.iter().any(|known| known.rule == rule) {
                    let from = self.all().filter(|(_, policy)| policy.rules().contains(&rule));
                    let from = from.map(|(layer, _)| layer).collect();
                    effective.push(EffectiveRule { rule, words: stated.words.clone(), from });
                }
            }
        }
        effective
    }

    /// Returns the rules that the plugin requests and does not get as a whole.
    #[must_use]
    pub fn withheld(&self) -> Vec<Withheld> {
        let Some(request) = &self.request else { return Vec::new() };
        let others = || self.all().filter(|(layer, _)| *layer != Layer::Request);
        let withheld = request.stated().map(|stated| {
            let lacks = others().filter(|(_, policy)| !stated.rule.is_within(policy.rules()));
            let (rule, words) = stated.cloned();
            Withheld { rule, words, by: lacks.map(|(layer, _)| layer).collect() }
        });
        withheld.filter(|withheld| !withheld.by.is_empty()).collect()
    }

    /// Returns what the policies together say beside rules, as entries of a policy on one line, each with the
    /// policies that have it.
    #[must_use]
    pub fn effective_rest(&self) -> Vec<(String, Vec<Layer>)> {
        let mut lines = self.rest(|has| has.iter().all(|(_, has)| *has), true);
        lines.extend(self.files().into_iter().map(|file| {
            let from = self.all().filter(|(_, policy)| policy.files().contains(&file));
            (format!("files: {file}"), from.map(|(layer, _)| layer).collect())
        }));
        lines.extend(self.variables().into_iter().map(|variable| {
            let from = self.all().filter(|(_, policy)| policy.variables().contains(&variable));
            (format!("environment: {variable}"), from.map(|(layer, _)| layer).collect())
        }));
        // The one entry that takes away: any policy is enough.
        let stable = self.all().filter(|(_, policy)| policy.is_stable_only());
        let stable: Vec<Layer> = stable.map(|(layer, _)| layer).collect();
        if !stable.is_empty() {
            lines.push(("stableOnly: true".to_owned(), stable));
        }
        lines
    }

    /// Returns what the plugin requests beside rules and does not get, with the policies that lack it.
    #[must_use]
    pub fn withheld_rest(&self) -> Vec<(String, Vec<Layer>)> {
        let requested =
            |has: &[(Layer, bool)]| has.iter().any(|(layer, has)| *layer == Layer::Request && *has);
        let mut lines = self.rest(|has| requested(has) && has.iter().any(|(_, has)| !has), false);
        let Some(request) = &self.request else { return lines };
        let mut add = |entry: String, includes: &dyn Fn(&Policy) -> bool| {
            let lacks = self.all().filter(|(_, policy)| !includes(policy));
            let by: Vec<Layer> = lacks.map(|(layer, _)| layer).collect();
            if !by.is_empty() {
                lines.push((entry, by));
            }
        };
        for file in request.files() {
            add(format!("files: {file}"), &|policy| file.is_within(policy.files()));
        }
        for variable in request.variables() {
            add(format!("environment: {variable}"), &|policy| variable.is_within(policy.variables()));
        }
        lines
    }

    /// Returns the entries beside rules of any of the policies for which `keep` returns `true`, with the policies
    /// that have it, or those that lack it.
    fn rest(&self, keep: impl Fn(&[(Layer, bool)]) -> bool, having: bool) -> Vec<(String, Vec<Layer>)> {
        let mut entries: Vec<String> = self.all().flat_map(|(_, policy)| entries(policy)).collect();
        entries.sort();
        entries.dedup();
        let mut kept = Vec::new();
        for entry in entries {
            let has: Vec<(Layer, bool)> =
                self.all().map(|(layer, policy)| (layer, entries_include(policy, &entry))).collect();
            if keep(&has) {
                kept.push((
                    entry,
                    has.into_iter().filter(|(_, has)| *has == having).map(|(layer, _)| layer).collect(),
                ));
            }
        }
        kept
    }
}

/// Returns what a policy grants beside rules, each as an entry of a policy on one line.
fn entries(policy: &Policy) -> Vec<String> {
    let mut entries: Vec<String> =
        policy.hosts().iter().map(|host| format!("network: {}", host.entry())).collect();
    entries.extend(policy.impersonates().then(|| "impersonate: true".to_owned()));
    if *policy.contexts() != super::rule::NameSelector::current() {
        entries.push(format!("contexts: {}", policy.contexts()));
    }
    entries
}

fn entries_include(policy: &Policy, entry: &str) -> bool {
    entries(policy).iter().any(|known| known == entry)
}

/// Returns what rules have in common with those of a policy, without what is part of another.
fn narrowed(rules: &[Rule], policy: &Policy) -> Vec<Rule> {
    let mut found: Vec<Rule> = Vec::new();
    for rule in rules {
        // The usual case: one of the policy's rules covers all of it.
        if rule.is_within(policy.rules()) {
            found.push(rule.clone());
            continue;
        }
        let common = policy.rules().iter().filter_map(|other| rule.and(other));
        found.extend(common.take(MOST));
    }
    let mut kept: Vec<Rule> = Vec::new();
    for rule in found.into_iter().take(MOST) {
        if !rule.is_within(&kept) {
            kept.push(rule);
        }
    }
    kept
}

/// Something that a policy allows, for users to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Allowance {
    /// What it is, in words, e.g. `get secrets in the current namespace`.
    pub words: String,
    /// The dangers of it.
    pub dangers: BTreeSet<Danger>,
}

impl Policy {
    /// Returns what this policy allows beyond another one. Empty if it allows the same or less. Where that is
    /// not certain, it is listed.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Vec<Allowance> {
        let of = |words: String, danger: Option<Danger>| Allowance {
            words,
            dangers: danger.into_iter().collect(),
        };
        let mut found: Vec<Allowance> = Vec::new();
        if !other.contexts().includes(self.contexts()) {
            found.push(of(format!("use the contexts {}", self.contexts()), Some(Danger::Contexts)));
        }
        if self.impersonates() && !other.impersonates() {
            found.push(of("act as other users".to_owned(), Some(Danger::Impersonation)));
        }
        let wider = self.rules().iter().filter(|rule| !rule.is_within(other.rules()));
        found.extend(wider.map(|rule| Allowance { words: rule.sentence(), dangers: rule.dangers() }));
        let files = self.files().iter().filter(|file| !file.is_within(other.files()));
        found.extend(files.map(|file| Allowance { words: file.sentence(), dangers: file.dangers() }));
        let variables = self.variables().iter().filter(|pattern| !pattern.is_within(other.variables()));
        found.extend(variables.map(|pattern| of(pattern.sentence(), pattern.danger())));
        let hosts = self.hosts().iter().filter(|host| {
            !other.hosts().iter().any(|known| {
                (&known.name, known.port) == (&host.name, host.port) && (known.private || !host.private)
            })
        });
        found.extend(hosts.map(|host| of(format!("reach {host}"), Some(Danger::Hosts))));
        if self.limits().alone().exceeds(&other.limits().alone()) {
            found.push(of(format!("run with the limits {}", self.limits()), None));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{policy, rules};
    use super::*;

    const SECRETS: &str =
        "{apiGroups: [''], resources: [secrets], verbs: [get], reason: Reads., namespaces: [current]}";
    const PODS: &str = "{apiGroups: [''], resources: [pods, pods/log], verbs: [get, list]}";

    #[test]
    fn what_is_effective_names_the_policies_that_say_so() {
        let layers = Layers {
            request: Some(rules(&format!("{SECRETS}, {PODS}"))),
            grant: rules("{apiGroups: ['*'], resources: ['*'], verbs: [get], except: [secrets]}"),
            ceiling: Some(rules(&format!(
                "{SECRETS}, {{apiGroups: [''], resources: [pods/log, pods], verbs: [get]}}"
            ))),
            installed: None,
        };
        let effective = layers.effective_rules();
        let lines: Vec<(String, &[Layer])> =
            effective.iter().map(|line| (line.rule.to_string(), line.from.as_slice())).collect();
        assert_eq!(
            lines,
            [("{apiGroups: [\"\"], resources: [pods, pods/log], verbs: [get]}".to_owned(), [].as_slice())]
        );
        let withheld = layers.withheld();
        assert_eq!(withheld.len(), 2);
        assert_eq!(withheld[0].by, [Layer::Grant]);
        assert_eq!(withheld[0].words.reason.as_deref(), Some("Reads."));
        assert_eq!(withheld[1].by, [Layer::Grant, Layer::Ceiling]);
    }

    #[test]
    fn a_request_that_is_granted_as_it_is_comes_from_both() {
        let layers = Layers {
            request: Some(rules(SECRETS)),
            grant: rules(&format!("{PODS}, {SECRETS}")),
            ceiling: None,
            installed: None,
        };
        let effective = layers.effective_rules();
        assert_eq!(effective.len(), 1);
        assert_eq!(effective[0].from, [Layer::Request, Layer::Grant]);
        assert_eq!(layers.withheld(), []);
    }

    #[test]
    fn folders_and_variables_are_effective_as_far_as_all_grant_them() {
        let layers = Layers {
            request: Some(policy(
                "{files: [{path: ., access: read-write}, {path: ~/x}], environment: ['MY_*', EDITOR]}",
            )),
            grant: policy(
                "{files: [{path: .}, {path: out, access: read-write}], environment: [EDITOR, MY_X]}",
            ),
            ceiling: None,
            installed: None,
        };
        let all = [Layer::Request, Layer::Grant];
        let effective = layers.effective_rest();
        let effective: Vec<(&str, &[Layer])> =
            effective.iter().map(|(line, from)| (line.as_str(), from.as_slice())).collect();
        assert_eq!(
            effective,
            [
                ("files: {path: ., access: read-only}", &all[1..]),
                ("files: {path: out, access: read-write}", &all[1..]),
                ("environment: EDITOR", &all[..]),
                ("environment: MY_X", &all[1..]),
            ]
        );
        let withheld = layers.withheld_rest();
        let withheld: Vec<&str> = withheld.iter().map(|(line, _)| line.as_str()).collect();
        let lines = [
            "files: {path: ., access: read-write}",
            "files: {path: ~/x, access: read-only}",
            "environment: MY_*",
        ];
        assert_eq!(withheld, lines);
    }

    #[test]
    fn one_policy_is_enough_to_allow_stable_interfaces_only() {
        let layers = |grant: &str, ceiling: &str| Layers {
            request: Some(policy("{}")),
            grant: policy(grant),
            ceiling: Some(policy(ceiling)),
            installed: None,
        };
        let line = |from: &[Layer]| vec![("stableOnly: true".to_owned(), from.to_vec())];
        assert_eq!(layers("{}", "{stableOnly: false}").effective_rest(), []);
        assert_eq!(layers("{}", "{stableOnly: true}").effective_rest(), line(&[Layer::Ceiling]));
        let both = layers("{stableOnly: true}", "{stableOnly: true}").effective_rest();
        assert_eq!(both, line(&[Layer::Grant, Layer::Ceiling]));
    }

    #[test]
    fn more_is_what_another_policy_lacks() {
        let same = policy(&format!(
            "{{kubernetes: {{rules: [{PODS}]}}, network: [{{host: a.example}}], limits: {{memory: 1Gi}}, \
             files: [{{path: .}}], environment: [EDITOR]}}"
        ));
        assert_eq!(same.beyond(&same), []);
        assert_eq!(rules(PODS).beyond(&same), []);
        for (spec, line) in [
            ("{kubernetes: {contexts: '*'}}", "use the contexts \"*\""),
            ("{kubernetes: {impersonate: true}}", "act as other users"),
            ("{network: [{host: a.example, port: 8443}]}", "reach a.example:8443"),
            ("{network: [{host: a.example, private: true}]}", "reach a.example:443"),
            ("{files: [{path: out}, {path: ~/x}]}", "read files in ~/x"),
            (
                "{files: [{path: ., access: read-write}]}",
                "read, change and remove files in the working directory",
            ),
            ("{environment: [EDITOR, 'MY_*']}", "read the variables MY_*"),
            ("{limits: {memory: 2Gi}}", "run with the limits {memory: 2Gi}"),
            (
                "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [delete]}]}}",
                "delete pods in all namespaces",
            ),
        ] {
            let beyond = policy(spec).beyond(&same);
            let words: Vec<&str> = beyond.iter().map(|allowance| allowance.words.as_str()).collect();
            assert_eq!(words, [line], "{spec}");
        }
    }
}
