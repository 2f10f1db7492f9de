//! A policy in lines, for people: one for each rule.

use super::host::Host;
use super::judge::Policy;
use super::rule::NameSelector;

impl Policy {
    /// Returns the policy in lines: its name, the contexts if they are not only the current one, the rules as
    /// in a policy, and the hosts.
    ///
    /// The lines are not made safe for a terminal.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.name.clone()];
        lines.extend(contexts(&self.contexts));
        if self.impersonate {
            lines.push("impersonate: true".to_owned());
        }
        lines.extend(self.rules.iter().map(ToString::to_string));
        lines.extend(self.hosts.iter().map(host));
        if !self.own_flags.is_empty() {
            lines.push(format!("flags: {{own: {:?}}}", self.own_flags));
        }
        lines
    }
}

/// Returns the line of contexts, or `None` if it is only the current one, as without a word of it.
fn contexts(contexts: &NameSelector) -> Option<String> {
    match contexts {
        NameSelector::All => Some("contexts: \"*\"".to_owned()),
        NameSelector::Some { current: true, names } if names.is_empty() => None,
        NameSelector::Some { current, names } => {
            let current = current.then_some("current");
            let listed: Vec<&str> = current.into_iter().chain(names.iter().map(String::as_str)).collect();
            Some(format!("contexts: {listed:?}"))
        }
    }
}

fn host(host: &Host) -> String {
    let private = if host.private { ", private: true" } else { "" };
    format!("network: {{host: {:?}, port: {}{private}}}", host.name, host.port)
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
  kubernetes:
    contexts: [current, staging]
    impersonate: true
    rules:
      - {apiGroups: [apps], resources: [deployments], verbs: [get, patch], namespaces: [current]}
      - {nonResourceURLs: [/version], verbs: [get]}
  network: [{host: api.example.com, private: true}]
  flags: {own: [\"-s\"]}
";
        insta::assert_snapshot!(Policy::read("x", text).unwrap().lines().join("\n"), @r#"
        scaler
        contexts: ["current", "staging"]
        impersonate: true
        {apiGroups: [apps], resources: [deployments], verbs: [get, patch], namespaces: [current]}
        {nonResourceURLs: [/version], verbs: [get]}
        network: {host: "api.example.com", port: 443, private: true}
        flags: {own: ["-s"]}
        "#);
        assert_eq!(Policy::none().lines(), ["none"]);
    }
}
