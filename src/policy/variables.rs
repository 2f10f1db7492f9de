//! The environment variables that a policy grants, in the key `environment`.

use std::fmt;

use super::flow::List;
use crate::defence::Defence;
use crate::document::{Faults, Node, Place};

/// The largest number of entries.
const MOST: usize = 256;

/// The longest name in bytes.
const LONGEST: usize = 255;

/// The variables that kwasm sets for a guest itself. The user's own are never passed.
const OWN: &[&str] = &["KUBECONFIG", "KWASM_CONTEXT", "KWASM_NAMESPACE"];

/// The beginnings of names that belong to a program or a cloud some of whose variables are credentials, or
/// name files with credentials. A list of the exceptions would never be complete, so none of them is passed by
/// a pattern.
const FAMILIES: &[&str] = &[
    "KUBE",
    // Clouds, and what runs on them.
    "ACTIONS_",
    "ALIBABA_CLOUD_",
    "ALICLOUD_",
    "ARM_",
    "AWS_",
    "AZURE_",
    "CIVO_",
    "CLOUDFLARE_",
    "CLOUDSDK_",
    "DIGITALOCEAN_",
    "EXOSCALE_",
    "FLY_",
    "GCLOUD_",
    "GCP_",
    "GOOGLE_",
    "HCLOUD_",
    "IBMCLOUD_",
    "IDENTITY_",
    "LINODE_",
    "MSI_",
    "OCI_",
    "OS_",
    "OVH_",
    "SCW_",
    "TENCENTCLOUD_",
    "VULTR_",
    // Programs that keep or use secrets.
    "ANSIBLE_",
    "ARGOCD_",
    "BITBUCKET_",
    "BW_",
    "CI_",
    "CONSUL_",
    "DOCKER_",
    "GH_",
    "GITHUB_",
    "GITLAB_",
    "GPG_",
    "HELM_",
    "NOMAD_",
    "NPM_",
    "OP_",
    "PG",
    "SOPS_",
    "SSH_",
    "TF_",
    "VAULT_",
];

/// The parts of names that say that a value is a credential, wherever they are.
const TELLING: &[&str] =
    &["TOKEN", "SECRET", "PASSW", "PASSPHRASE", "CREDENTIAL", "APIKEY", "COOKIE", "PRIVATE"];

/// The words that say so, between underscores. A proxy's address often has a password in it.
const WORDS: &[&str] = &["AUTH", "DSN", "KEY", "KEYS", "PASS", "PAT", "PROXY", "PWD"];

/// The variables that a plugin may read: one, or all whose names have the same beginning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VariablePattern {
    name: String,
    /// Whether it is the beginning of names, as `MY_` in `MY_*`.
    is_prefix: bool,
}

impl VariablePattern {
    /// Returns a pattern, as in a policy: `NAME` or `PREFIX_*`.
    ///
    /// # Errors
    /// The reason and a hint, if a policy cannot grant it.
    pub fn new(text: &str) -> Result<Self, (String, String)> {
        let (name, is_prefix) = text.strip_suffix('*').map_or((text, false), |prefix| (prefix, true));
        let pattern = Self { name: name.to_owned(), is_prefix };
        let is_whole = !is_prefix || (name.ends_with('_') && name.len() > 1);
        if !is_name(name) || !is_whole {
            return Err((
                format!("`{text}` is not the name of a variable"),
                "write NAME, or \"PREFIX_*\"".to_owned(),
            ));
        }
        if OWN.contains(&name) {
            let why = format!("kwasm sets `{name}` for the plugin itself");
            return Err((why, format!("remove {name}")));
        }
        if is_prefix && is_credential(name) {
            let why =
                format!("variables that begin with `{name}` may hold credentials, which no pattern passes");
            return Err((why, "name each one that the plugin needs in full".to_owned()));
        }
        Ok(pattern)
    }

    /// Returns whether it passes a variable. A pattern of several passes none that looks like a credential.
    #[must_use]
    pub fn passes(&self, name: &str, value: &str) -> bool {
        let is_withheld =
            || Defence::CredentialVariables.stops(is_credential(name) || holds_credential(value));
        if OWN.contains(&name) {
            false
        } else if self.is_prefix {
            name.starts_with(&self.name) && !is_withheld()
        } else {
            name == self.name
        }
    }

    /// Returns the pattern in words, e.g. `read the variable EDITOR`.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("read the variable{} {self}", if self.is_prefix { "s" } else { "" })
    }

    /// Returns whether it is one variable that is or may be a credential.
    #[must_use]
    pub fn is_credential(&self) -> bool {
        !self.is_prefix && is_credential(&self.name)
    }

    /// Returns whether it passes all variables that `other` passes.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self.is_prefix, other.is_prefix) {
            (false, false) => self.name == other.name,
            (true, true) => other.name.starts_with(&self.name),
            // One that is named in full is passed whatever its value is.
            _ => false,
        }
    }

    /// Returns whether others pass all variables that it passes.
    #[must_use]
    pub fn is_within(&self, others: &[Self]) -> bool {
        others.iter().any(|other| other.covers(self))
    }

    /// Returns what both pass, as far as a pattern can express it.
    fn and(&self, other: &Self) -> Option<Self> {
        let narrower = match (self.is_prefix, other.is_prefix) {
            (false, false) => (self.name == other.name).then_some(self),
            (true, false) => self.passes(&other.name, "").then_some(other),
            (false, true) => other.passes(&self.name, "").then_some(self),
            (true, true) if self.covers(other) => Some(other),
            (true, true) => other.covers(self).then_some(self),
        };
        narrower.cloned()
    }
}

/// Returns the variables that both lists pass.
pub(super) fn both(ones: &[VariablePattern], others: &[VariablePattern]) -> Vec<VariablePattern> {
    let mut found: Vec<VariablePattern> = Vec::new();
    for one in ones {
        for both in others.iter().filter_map(|other| one.and(other)) {
            if !found.contains(&both) {
                found.push(both);
            }
        }
    }
    found
}

/// Returns whether a text is the name of a variable (POSIX, Base Definitions, "Name").
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= LONGEST
}

/// Returns whether a variable's name, or the beginning of names, is that of a credential.
fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    FAMILIES.iter().any(|family| name.starts_with(family))
        || TELLING.iter().any(|telling| name.contains(telling))
        || name.split('_').any(|word| WORDS.contains(&word))
}

/// Returns whether a value contains a private key, or a URL with a user, which may be a token.
fn holds_credential(value: &str) -> bool {
    let has_user = |rest: &str| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| !user.is_empty())
    };
    value.contains("-----BEGIN ") || value.split("://").skip(1).any(has_user)
}

/// Reads the list `environment`.
pub(super) fn read(faults: &mut Faults<'_>, place: &Place, node: Node) -> Vec<VariablePattern> {
    const CURE: &str = "write NAME, or \"PREFIX_*\"";
    let items = faults.list(place, node, "write it as a list: in brackets, with commas");
    if items.len() > MOST {
        faults.add(place, format!("it lists more than {MOST} variables"), CURE);
        return Vec::new();
    }
    let mut patterns = Vec::new();
    for (place, node) in items {
        let Some(text) = faults.text(&place, node, CURE) else { continue };
        match VariablePattern::new(&text) {
            Ok(pattern) => patterns.push(pattern),
            Err((why, hint)) => faults.add(&place, why, hint),
        }
    }
    patterns
}

/// Formats the pattern as in a policy, without quotes.
impl fmt::Display for VariablePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, if self.is_prefix { "*" } else { "" })
    }
}

/// Returns a list as in a policy, on one line.
pub(super) fn listed(patterns: &[VariablePattern]) -> String {
    let names: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    List(&names).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> VariablePattern {
        VariablePattern::new(text).unwrap()
    }

    #[test]
    fn a_name_or_a_beginning_of_names_is_a_pattern() {
        for text in ["EDITOR", "_x1", "MY_*", "AWS_SECRET_ACCESS_KEY", "HOME", "m_*"] {
            assert_eq!(pattern(text).to_string(), text);
        }
        for text in ["", "*", "_*", "MY*", "*_X", "MY_*_X", "1X", "MY-X", "ÄRGER", "A=B", "A B", "A\n"] {
            assert!(VariablePattern::new(text).is_err(), "{text}");
        }
        for own in OWN {
            assert!(VariablePattern::new(own).is_err(), "{own}");
        }
    }

    #[test]
    fn a_pattern_passes_no_credential_and_a_full_name_does() {
        for (name, value) in [
            ("MY_TOKEN", ""),
            ("MY_CLIENT_SECRET", ""),
            ("MY_DB_PASSWORD", ""),
            ("MY_API_KEY", ""),
            ("MY_KEY_ID", ""),
            ("MY_HTTPS_PROXY", ""),
            ("MY_github_token", ""),
            ("MY_DATABASE", "postgres://me:hunter2@db/x"),
            ("MY_LIST", "https://a.example https://token@b.example/"),
            ("MY_PEM", "-----BEGIN EC PRIVATE KEY-----\nx"),
        ] {
            assert!(!pattern("MY_*").passes(name, value), "{name}");
            assert!(pattern(name).passes(name, value), "{name}");
        }
        for (name, value) in [
            ("MY_REGION", "eu"),
            ("MY_KEYBOARD", "de"),
            ("MY_URL", "https://x.example/?mail=a@b"),
            ("MY_MAIL", "me@example.com"),
            ("MY_AUTHOR", "x"),
            ("MY_", ""),
        ] {
            assert!(pattern("MY_*").passes(name, value), "{name}");
        }
        assert!(!pattern("MY_*").passes("YOUR_X", "") && !pattern("MY_X").passes("MY_X1", ""));
    }

    #[test]
    fn the_families_of_clouds_are_passed_by_full_names_only() {
        for prefix in
            ["AWS_*", "GOOGLE_*", "AZURE_*", "KUBE_*", "GITHUB_*", "VAULT_*", "SSH_*", "MY_TOKEN_*", "aws_*"]
        {
            assert!(VariablePattern::new(prefix).is_err(), "{prefix}");
        }
        for name in ["AWS_REGION", "SSH_AUTH_SOCK", "HTTPS_PROXY"] {
            assert!(pattern(name).passes(name, "x") && pattern(name).is_credential());
        }
        assert!(!pattern("EDITOR").is_credential());
    }

    #[test]
    fn what_kwasm_sets_itself_is_passed_by_no_pattern() {
        let of_kwasm = pattern("KWASM_*");
        assert!(!of_kwasm.passes("KWASM_CONTEXT", "x") && !of_kwasm.passes("KWASM_NAMESPACE", "x"));
        assert!(of_kwasm.passes("KWASM_HOME", "x"));
    }

    #[test]
    fn what_two_patterns_pass_is_what_both_pass() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| pattern(text)).collect::<Vec<_>>();
        for (ones, others, both) in [
            (&["MY_*"][..], &["MY_X", "MY_TOKEN"][..], &["MY_X"][..]),
            (&["MY_*"], &["MY_X_*", "EDITOR"], &["MY_X_*"]),
            (&["MY_TOKEN", "EDITOR"], &["EDITOR", "MY_TOKEN"], &["MY_TOKEN", "EDITOR"]),
            (&["MY_*"], &[], &[]),
        ] {
            assert_eq!(super::both(&patterns(ones), &patterns(others)), patterns(both));
        }
        assert!(pattern("MY_*").covers(&pattern("MY_X_*")) && !pattern("MY_X_*").covers(&pattern("MY_*")));
        assert!(pattern("MY_X").is_within(&patterns(&["Y", "MY_X"])) && !pattern("MY_X").is_within(&[]));
    }
}
