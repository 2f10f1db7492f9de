//! The rules, and how they are read: strictly, so that a misspelt one is an error and not a gap.

use plugin_kit::Pattern;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Off,
    Warning,
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A rule, by the name that rules' files and reports have for it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rule {
    ImageRegistry,
    ImageDigest,
    Requests,
    Limits,
    Privileged,
    HostNamespaces,
    HostPath,
    Capabilities,
    ResourceQuota,
    NetworkPolicy,
}

impl Rule {
    pub(crate) const ALL: [Self; 10] = [
        Self::ImageRegistry,
        Self::ImageDigest,
        Self::Requests,
        Self::Limits,
        Self::Privileged,
        Self::HostNamespaces,
        Self::HostPath,
        Self::Capabilities,
        Self::ResourceQuota,
        Self::NetworkPolicy,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ImageRegistry => "image-registry",
            Self::ImageDigest => "image-digest",
            Self::Requests => "requests",
            Self::Limits => "limits",
            Self::Privileged => "privileged",
            Self::HostNamespaces => "host-namespaces",
            Self::HostPath => "host-path",
            Self::Capabilities => "capabilities",
            Self::ResourceQuota => "resource-quota",
            Self::NetworkPolicy => "network-policy",
        }
    }

    /// Returns what the rule demands, in a sentence.
    pub(crate) fn demand(self) -> &'static str {
        match self {
            Self::ImageRegistry => "Images come from the listed registries only.",
            Self::ImageDigest => "Images are pinned by a digest.",
            Self::Requests => "Containers request CPU and memory.",
            Self::Limits => "Containers have limits of CPU and memory.",
            Self::Privileged => "Containers are not privileged.",
            Self::HostNamespaces => "Pods do not use the network, process or IPC namespace of their node.",
            Self::HostPath => "Pods mount no folder of their node.",
            Self::Capabilities => "Containers add no Linux capabilities but the listed ones.",
            Self::ResourceQuota => "Each namespace has a resource quota.",
            Self::NetworkPolicy => "Each namespace has a network policy.",
        }
    }
}

/// All rules.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rules {
    pub(crate) image_registry: Registries,
    pub(crate) image_digest: Soft,
    pub(crate) requests: Resources,
    pub(crate) limits: Resources,
    pub(crate) privileged: Hard,
    pub(crate) host_namespaces: Hard,
    pub(crate) host_path: Paths,
    pub(crate) capabilities: Capabilities,
    pub(crate) resource_quota: Soft,
    pub(crate) network_policy: Soft,
    pub(crate) exempt: Exempt,
}

impl Rules {
    /// Reads rules; what is not in them has its default. The error is one line, and names the line of the text.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
        // An empty file is that of the defaults.
        let rules: Option<Self> =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| one_line(&error))?;
        Ok(rules.unwrap_or_default())
    }

    pub(crate) fn severity(&self, rule: Rule) -> Severity {
        match rule {
            Rule::ImageRegistry => self.image_registry.severity,
            Rule::ImageDigest => self.image_digest.severity,
            Rule::Requests => self.requests.severity,
            Rule::Limits => self.limits.severity,
            Rule::Privileged => self.privileged.severity,
            Rule::HostNamespaces => self.host_namespaces.severity,
            Rule::HostPath => self.host_path.severity,
            Rule::Capabilities => self.capabilities.severity,
            Rule::ResourceQuota => self.resource_quota.severity,
            Rule::NetworkPolicy => self.network_policy.severity,
        }
    }

    /// Returns whether nothing in a namespace is judged.
    pub(crate) fn is_exempt(&self, namespace: &str) -> bool {
        self.exempt.namespaces.iter().any(|exempt| exempt == namespace)
    }

    /// Returns whether a rule about namespaces is on.
    pub(crate) fn judge_namespaces(&self) -> bool {
        [Rule::ResourceQuota, Rule::NetworkPolicy].iter().any(|rule| self.severity(*rule) > Severity::Off)
    }
}

/// Returns an error of YAML as `line N: why`.
pub(crate) fn one_line(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    // The reader puts the place behind its reason.
    let why = text.lines().next().unwrap_or_default();
    let why = why.split(" at line ").next().unwrap_or(why);
    let why = why.split(", set DuplicateKeyPolicy").next().unwrap_or(why).trim_end_matches([':', ' ']);
    match error.location() {
        Some(location) if location.line() > 0 => format!("line {}: {why}", location.line()),
        _ => why.to_owned(),
    }
}

macro_rules! setting {
    ($(#[$doc:meta])* $name:ident, $severity:expr $(, $field:ident: $type:ty = $default:expr)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $name {
            pub(crate) severity: Severity,
            $(pub(crate) $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { severity: $severity, $($field: $default,)* }
            }
        }
    };
}

setting!(
    /// A rule that matters much.
    Hard, Severity::Error
);
setting!(
    /// A rule that matters less.
    Soft, Severity::Warning
);
setting!(
    /// The registries that images may come from; none listed means any.
    Registries, Severity::Error, allowed: Vec<Pattern> = Vec::new()
);
setting!(
    /// The resources of which each container has an amount.
    Resources, Severity::Warning, resources: Vec<String> = vec!["cpu".to_owned(), "memory".to_owned()]
);
setting!(
    /// The folders of a node that may be mounted, with everything below them.
    Paths, Severity::Error, allowed: Vec<String> = Vec::new()
);
setting!(
    /// The capabilities that may be added.
    Capabilities, Severity::Error, allowed: Vec<String> = vec!["NET_BIND_SERVICE".to_owned()]
);

/// What is not judged.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Exempt {
    /// These namespaces.
    pub(crate) namespaces: Vec<String>,
}

impl Default for Exempt {
    fn default() -> Self {
        Self { namespaces: ["kube-system", "kube-public", "kube-node-lease"].map(str::to_owned).to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_its_default() {
        for text in ["", "# nothing\n", "{}", "---\n"] {
            let rules = Rules::read(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(rules.severity(Rule::Privileged), Severity::Error);
            assert_eq!(rules.severity(Rule::ResourceQuota), Severity::Warning);
        }
        let text = "
image-registry:
  allowed: [registry.example/*, 'docker.io/library/nginx']
limits: {severity: error, resources: [memory]}
network-policy: {severity: off}
";
        let rules = Rules::read(text).unwrap();
        assert_eq!(rules.image_registry.allowed[1].to_string(), "docker.io/library/nginx");
        assert_eq!(rules.limits.resources, ["memory"]);
        assert_eq!(rules.severity(Rule::NetworkPolicy), Severity::Off);
        assert!(rules.judge_namespaces());
        assert!(
            !Rules::read("network-policy: {severity: off}\nresource-quota: {severity: off}")
                .unwrap()
                .judge_namespaces()
        );
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let said = |text: &str| Rules::read(text).unwrap_err();
        for (text, line, what) in [
            ("privileged: {}\nlimit: {}\n", 2, "limit"),
            ("host-path:\n  severity: error\n  allow: [/var]\n", 3, "allow"),
            ("limits:\n  severity: fatal\n", 2, "fatal"),
            (
                "image-registry:\n  allowed:\n  - registry.example/*\n  - nginx\n",
                4,
                "does not begin with a registry",
            ),
            ("privileged: {}\nprivileged: {severity: off}\n", 2, "privileged"),
            ("- a\n", 1, ""),
            ("a: [\n", 1, "a"),
        ] {
            let why = said(text);
            assert!(why.starts_with(&format!("line {line}: ")) && why.contains(what), "{text:?}: {why}");
            assert_eq!(why.lines().count(), 1, "{why}");
        }
    }

    #[test]
    fn names_are_those_of_the_reports() {
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
            assert!(Rules::read(&format!("{}: {{severity: off}}", rule.name())).is_ok());
        }
    }
}
