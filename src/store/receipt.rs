//! What is remembered of an installed plugin, and why it was believed.

use serde::{Deserialize, Serialize};

use super::Granted;
use crate::inspect::{Inspected, Kind};
use crate::reference::{Digest, PluginName};
use crate::registry::signature;

/// The most bytes that a receipt may have; one that has more is broken.
pub(super) const LONGEST: u64 = 1 << 20;

/// One `receipt.json`. Written whole and replaced by rename, so that a reader sees an old one or a new one.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// The plugin.
    pub name: PluginName,
    /// Where it came from, as it was typed, made absolute.
    pub source: String,
    /// Which of its versions this is, where anybody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it says of itself, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The artifact that it was in, where it came from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Origin>,
    /// What was fetched.
    pub fetched: Digest,
    /// What runs: the same, but in receipts of an earlier kwasm, which made a component of a core module. That is no longer run.
    pub digest: Digest,
    /// The size of what runs, in bytes.
    pub size: u64,
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

/// The artifact in a registry that a plugin was in. All of its blobs are kept, so that it can be carried elsewhere as it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Origin {
    /// Where it was, with its tag: `HOST/REPOSITORY:TAG`.
    pub reference: String,
    /// Its manifest: what the plugin is pinned to, and what was signed.
    pub manifest: Digest,
    /// Its configuration.
    pub config: Digest,
    /// The manifests of its signatures. None: it was not signed, or [`Self::unknown`].
    #[serde(default)]
    pub signatures: Vec<Digest>,
    /// Whether its registry did not say if it is signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// What those manifests name.
    #[serde(default)]
    pub evidence: Vec<Digest>,
    /// Whose signatures were verified, by the keys of trust.yaml.
    #[serde(default)]
    pub signers: Vec<Signer>,
}

/// A key by which a signature was verified.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Signer {
    /// The name of the key's file.
    pub key: String,
    /// The SHA-256 of the public key (its `SubjectPublicKeyInfo`, DER).
    pub fingerprint: Digest,
}

impl From<&signature::Signer> for Signer {
    fn from(signer: &signature::Signer) -> Self {
        Self { key: signer.name().to_owned(), fingerprint: signer.fingerprint() }
    }
}

impl Receipt {
    /// Every blob that the plugin needs: what runs, what was fetched, and the artifact that it was in.
    pub fn blobs(&self) -> impl Iterator<Item = Digest> {
        let artifact = self.artifact.iter().flat_map(|artifact| {
            let own = [artifact.manifest, artifact.config];
            own.into_iter().chain(artifact.signatures.iter().chain(&artifact.evidence).copied())
        });
        [self.digest, self.fetched].into_iter().chain(artifact)
    }

    /// What was granted.
    #[must_use]
    pub fn granted(&self) -> Granted {
        Granted { name: self.policy.clone(), text: self.policy_text.clone() }
    }
}
