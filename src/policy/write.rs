//! Writes a policy as a document that is read as the same policy.

use std::fmt;

use super::flow::{List, Quoted, Word};
use super::judge::Policy;
use super::rule::{NameSelector, Rule, Stated};
use super::variables;

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata:\n  name: {}", Word(self.name()))?;
        let lines = [
            Section::Description,
            Section::Kubernetes,
            Section::Files,
            Section::Environment,
            Section::Network,
            Section::Flags,
            Section::Limits,
            Section::Stable,
        ];
        let mut is_empty = true;
        for section in lines {
            let text = section.of(self);
            if !text.is_empty() {
                let head = if is_empty { "spec:\n" } else { "" };
                write!(f, "{head}{text}")?;
                is_empty = false;
            }
        }
        if is_empty { writeln!(f, "spec: {{}}") } else { Ok(()) }
    }
}

/// The parts of `spec`, in the order in which they are written.
enum Section {
    Description,
    Kubernetes,
    Files,
    Environment,
    Network,
    Flags,
    Limits,
    Stable,
}

impl Section {
    /// Returns the lines of a part, or nothing if it says nothing.
    fn of(self, policy: &Policy) -> String {
        match self {
            Self::Description => match policy.description() {
                Some(text) => format!("  description: {}\n", Quoted(text)),
                None => String::new(),
            },
            Self::Kubernetes => kubernetes(policy),
            Self::Files => {
                let files: Vec<String> =
                    policy.files().iter().map(|file| format!("    - {file}\n")).collect();
                if files.is_empty() { String::new() } else { format!("  files:\n{}", files.concat()) }
            }
            Self::Environment if policy.variables().is_empty() => String::new(),
            Self::Environment => format!("  environment: {}\n", variables::listed(policy.variables())),
            Self::Network => {
                let hosts: Vec<String> =
                    policy.hosts().iter().map(|host| format!("    - {}\n", host.entry())).collect();
                if hosts.is_empty() { String::new() } else { format!("  network:\n{}", hosts.concat()) }
            }
            Self::Flags if policy.own_flags.is_empty() => String::new(),
            Self::Flags => format!("  flags: {{own: {}}}\n", List(&policy.own_flags)),
            Self::Stable if policy.is_stable_only() => "  stableOnly: true\n".to_owned(),
            Self::Stable => String::new(),
            Self::Limits => {
                let limits = policy.limits().to_string();
                if limits.is_empty() { limits } else { format!("  limits: {limits}\n") }
            }
        }
    }
}

fn kubernetes(policy: &Policy) -> String {
    let mut lines: Vec<String> = Vec::new();
    if *policy.contexts() != NameSelector::current() {
        lines.push(format!("    contexts: {}\n", policy.contexts()));
    }
    lines.extend(policy.impersonates().then(|| "    impersonate: true\n".to_owned()));
    lines.extend((!policy.rules().is_empty()).then(|| "    rules:\n".to_owned()));
    lines.extend(policy.stated().map(entry));
    if lines.is_empty() { String::new() } else { format!("  kubernetes:\n{}", lines.concat()) }
}

/// Returns a rule as an item of a list, one key per line.
fn entry(Stated { rule, words }: Stated<'_>) -> String {
    let mut lines = match rule {
        Rule::Resources(rule) => vec![
            format!("apiGroups: {}", List(&rule.api_groups)),
            format!("resources: {}", List(&rule.resources)),
            format!("verbs: {}", List(&rule.verbs)),
        ],
        Rule::Urls(rule) => {
            vec![format!("nonResourceURLs: {}", List(&rule.urls)), format!("verbs: {}", List(&rule.verbs))]
        }
    };
    if let Rule::Resources(rule) = rule {
        if rule.namespaces != NameSelector::All {
            lines.push(format!("namespaces: {}", rule.namespaces));
        }
        for (key, listed) in [("resourceNames", &rule.resource_names), ("except", &rule.except)] {
            if !listed.is_empty() {
                lines.push(format!("{key}: {}", List(listed)));
            }
        }
    }
    lines.extend(words.reason.as_deref().map(|reason| format!("reason: {}", Quoted(reason))));
    lines.extend(words.optional.then(|| "optional: true".to_owned()));
    format!("      - {}\n", lines.join("\n        "))
}

#[cfg(test)]
mod tests {
    use super::super::samples::policy;
    use super::*;

    #[test]
    fn a_written_policy_is_read_as_the_same_policy() {
        for spec in [
            "{}",
            "{description: 'Says: \"what\", it is # no comment.'}",
            "{kubernetes: {contexts: '*', impersonate: true}}",
            "{kubernetes: {contexts: [current, prod, \"a: b\"], rules: [{nonResourceURLs: ['*'], verbs: ['*']}]}}",
            "{kubernetes: {rules: [{apiGroups: ['', apps], resources: ['*', pods/log], verbs: [get], \
              namespaces: [current, \"1\"], resourceNames: ['a: b', 'true', \"x'y\"], except: [secrets, '*/exec'], \
              reason: \"Because.\\n\\e[31mred \\u202e\", optional: true}]}}",
            "{network: [{host: api.github.com, port: 8443, private: true}, {host: '[2606:4700::1111]'}]}",
            "{files: [{path: .}, {path: '~/a: b', access: read-write}, {path: \"/x\\ny\"}]}",
            "{environment: [EDITOR, 'MY_*', AWS_REGION]}",
            "{flags: {own: ['-s', --cluster]}}",
            "{limits: {memory: 512Mi, timeout: none, requests: 1, sockets: 2, headers: 128Ki, stack: 1Mi, reuse: 3}}",
            "{limits: {timeout: 1h30m}}",
        ] {
            let policy = policy(spec);
            let text = policy.to_string();
            assert_eq!(Policy::read("written", &text).as_ref(), Ok(&policy), "{text}");
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
        }
    }

    #[test]
    fn the_built_in_policies_are_written_as_they_are_read() {
        for name in super::super::builtins() {
            let policy = Policy::builtin(name).unwrap().unwrap();
            assert_eq!(Policy::read("written", &policy.to_string()), Ok(policy), "{name}");
        }
    }

    #[test]
    fn a_name_that_yaml_reads_as_a_number_is_quoted() {
        for name in ["1", "true", "decoder"] {
            let policy = Policy::named(name);
            assert_eq!(Policy::read("written", &policy.to_string()).unwrap().name(), name);
        }
    }
}
