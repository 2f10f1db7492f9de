//! What is remembered of an installed plugin, and why it was believed.

use serde::{Deserialize, Serialize};

use super::Granted;
use crate::inspect::{Inspected, Kind};
use crate::reference::{Digest, PluginName};

/// One `receipt.json`. Written whole and replaced by rename, so that a reader sees an old one or a new one.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// The plugin.
    pub name: PluginName,
    /// Where it came from, as it was typed, made absolute.
    pub source: String,
    /// What was fetched.
    pub fetched: Digest,
    /// What runs: the same, or the component that was made of a fetched core module.
    pub digest: Digest,
    /// The form in which it was fetched.
    pub kind: Kind,
    /// What was found in what runs.
    pub inspected: Inspected,
    /// The policy that was granted, by name.
    pub policy: String,
    /// Its text, where it was a file: what was granted stays granted, whatever becomes of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_text: Option<String>,
    /// When, in RFC 3339, UTC.
    pub installed_at: String,
    /// The kwasm that did it.
    pub kwasm: String,
}

impl Receipt {
    /// What was granted.
    #[must_use]
    pub fn granted(&self) -> Granted {
        Granted { name: self.policy.clone(), text: self.policy_text.clone() }
    }
}
