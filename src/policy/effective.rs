//! What several policies together allow, line by line, for users to see. The judge does not need it: it asks
//! each of them.

use super::files::FileGrant;
use super::judge::{Layers, Policy};
use super::layer::Layer;
use super::rule::{Rule, Words};
use super::variables::VariablePattern;

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

impl Policy {
    /// Returns what this policy allows beyond another one, each as a sentence. Empty if it allows the same or
    /// less. Where that is not certain, it is listed.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        if !other.contexts().includes(self.contexts()) {
            lines.push(format!("use the contexts {}", self.contexts()));
        }
        if self.impersonates() && !other.impersonates() {
            lines.push("act as other users".to_owned());
        }
        let wider = self.rules().iter().filter(|rule| !rule.is_within(other.rules()));
        lines.extend(wider.map(Rule::sentence));
        let files = self.files().iter().filter(|file| !file.is_within(other.files()));
        lines.extend(files.map(FileGrant::sentence));
        let variables = self.variables().iter().filter(|pattern| !pattern.is_within(other.variables()));
        lines.extend(variables.map(VariablePattern::sentence));
        let hosts = self.hosts().iter().filter(|host| {
            !other.hosts().iter().any(|known| {
                (&known.name, known.port) == (&host.name, host.port) && (known.private || !host.private)
            })
        });
        lines.extend(hosts.map(|host| format!("reach {host}")));
        let (limits, known) = (self.limits().alone(), other.limits().alone());
        if limits.exceeds(&known) {
            lines.push(format!("run with the limits {}", self.limits()));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(spec: &str) -> Policy {
        let text = format!("apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: test}}\nspec: {spec}\n");
        Policy::read("test.yaml", &text).unwrap()
    }

    fn rules(rules: &str) -> Policy {
        policy(&format!("{{kubernetes: {{rules: [{rules}]}}}}"))
    }

    const SECRETS: &str = "{apiGroups: [''], resources: [secrets], verbs: [get], reason: Reads., namespaces: [current]}";
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
    fn more_is_what_another_policy_does_not_allow() {
        let same = policy(&format!(
            "{{kubernetes: {{rules: [{PODS}]}}, network: [{{host: a.example}}], limits: {{memory: 1Gi}}, \
             files: [{{path: .}}], environment: [EDITOR]}}"
        ));
        assert_eq!(same.beyond(&same), Vec::<String>::new());
        assert_eq!(rules(PODS).beyond(&same), Vec::<String>::new());
        for (spec, line) in [
            ("{kubernetes: {contexts: '*'}}", "use the contexts \"*\""),
            ("{kubernetes: {impersonate: true}}", "act as other users"),
            ("{network: [{host: a.example, port: 8443}]}", "reach a.example:8443"),
            ("{network: [{host: a.example, private: true}]}", "reach a.example:443"),
            ("{files: [{path: out}, {path: ~/x}]}", "read files in ~/x"),
            ("{files: [{path: ., access: read-write}]}", "read, change and remove files in the working directory"),
            ("{environment: [EDITOR, 'MY_*']}", "read the variables MY_*"),
            ("{limits: {memory: 2Gi}}", "run with the limits {memory: 2Gi}"),
            (
                "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [delete]}]}}",
                "delete pods in all namespaces",
            ),
        ] {
            assert_eq!(policy(spec).beyond(&same), [line], "{spec}");
        }
    }
}
