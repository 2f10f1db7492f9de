//! A policy in lines, for people: one for each rule, with the words of its author behind it.

use super::effective::Allowance;
use super::flow::List;
use super::judge::Policy;
use super::rule::{NameSelector, Stated};
use super::variables;

impl Policy {
    /// Returns the policy in lines: its name and description, and each thing that it allows or limits as in a
    /// policy. What is the same as in an empty policy has no line.
    ///
    /// The lines are not made safe for a terminal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let description = self.description().map_or_else(String::new, |text| format!(": {text}"));
        let mut lines = vec![format!("{}{description}", self.name())];
        if *self.contexts() != NameSelector::current() {
            lines.push(format!("contexts: {}", self.contexts()));
        }
        if self.impersonates() {
            lines.push("impersonate: true".to_owned());
        }
        if self.is_stable_only() {
            lines.push("stableOnly: true".to_owned());
        }
        lines.extend(self.stated().map(rule));
        lines.extend(self.files().iter().map(|file| format!("files: {file}")));
        if !self.variables().is_empty() {
            lines.push(format!("environment: {}", variables::listed(self.variables())));
        }
        lines.extend(self.hosts().iter().map(|host| format!("network: {}", host.entry())));
        if !self.own_flags.is_empty() {
            lines.push(format!("flags: {{own: {}}}", List(&self.own_flags)));
        }
        let limits = self.limits().to_string();
        if !limits.is_empty() {
            lines.push(format!("limits: {limits}"));
        }
        lines
    }

    /// Returns all that the policy allows in words, one thing in each.
    ///
    /// The words are not made safe for a terminal.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let rules = self.stated().map(|stated| {
            let optional = if stated.words.optional { "optional: " } else { "" };
            format!("{optional}{}", stated.rule.sentence())
        });
        // The rest of a policy is what one without rules has beyond nothing.
        let rest = self.clone().only(|_| false).beyond(&Self::none());
        rules.chain(rest.into_iter().map(|Allowance { words, .. }| words)).collect()
    }
}

/// Returns the line of a rule. Its author's words come last, where they cannot be taken for kwasm's own.
fn rule(Stated { rule, words }: Stated<'_>) -> String {
    let optional = if words.optional { "optional: " } else { "" };
    let reason = words.reason.as_ref().map_or_else(String::new, |reason| format!("  # {reason}"));
    format!("{optional}{rule}{reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_a_line_and_so_is_each_other_thing_that_is_not_as_without_it() {
        let text = "apiVersion: kwasm.dev/v1
kind: Policy
metadata: {name: scaler}
spec:
  description: Scales deployments.
  kubernetes:
    contexts: [current, staging]
    impersonate: true
    rules:
      - {apiGroups: [apps], resources: [deployments], verbs: [get, patch], namespaces: [current], reason: Scales.}
      - {nonResourceURLs: [/version], verbs: [get], optional: true, reason: Shows it.}
      - {apiGroups: [''], resources: [pods], verbs: [list], optional: true}
  files: [{path: out, access: read-write}]
  environment: [EDITOR, 'MY_*']
  network: [{host: api.example.com, private: true}]
  flags: {own: [\"-s\"]}
  limits: {memory: 1Gi}
";
        insta::assert_snapshot!(Policy::read("x", text).unwrap().lines().join("\n"), @r#"
        scaler: Scales deployments.
        contexts: [current, staging]
        impersonate: true
        {apiGroups: [apps], resources: [deployments], verbs: [get, patch], namespaces: [current]}  # Scales.
        optional: {nonResourceURLs: [/version], verbs: [get]}  # Shows it.
        optional: {apiGroups: [""], resources: [pods], verbs: [list]}
        files: {path: out, access: read-write}
        environment: [EDITOR, "MY_*"]
        network: {host: api.example.com, port: 443, private: true}
        flags: {own: ["-s"]}
        limits: {memory: 1Gi}
        "#);
        assert_eq!(Policy::none().lines(), ["none"]);
        assert_eq!(Policy::none().sentences(), Vec::<String>::new());
        let sentences = Policy::read("x", text).unwrap().sentences();
        assert_eq!(sentences[0], "get, patch deployments of apps in the current namespace");
        assert_eq!(sentences[1], "optional: get /version");
        assert!(sentences.iter().any(|words| words.contains("out")), "{sentences:#?}");
    }
}
