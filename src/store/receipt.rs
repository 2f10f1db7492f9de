//! Receipts: the records of installed plugins and of the reasons to trust them.

use serde::{Deserialize, Serialize};

use super::Granted;
use crate::inspect::{Inspected, Kind};
use crate::reference::{Digest, PluginName};
use crate::registry::signature;

/// The largest size of a receipt in bytes. A larger one is invalid.
pub(super) const LONGEST: u64 = 1 << 20;

/// The contents of `receipt.json`. Written whole and replaced by rename, so that a reader sees the old or the
/// new one.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// The plugin.
    pub name: PluginName,
    /// The source as the user gave it, made absolute.
    pub source: String,
    /// The version, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The description, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The artifact that it was in, if it came from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Origin>,
    /// The identifier of the object that it was in, if it came from one of a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The digest of the fetched content.
    pub fetched: Digest,
    /// The digest of the content that runs. The same as `fetched`, except in receipts of an earlier kwasm,
    /// which made a component from a core module. Such a component no longer runs.
    pub digest: Digest,
    /// The size of the content that runs, in bytes.
    pub size: u64,
    /// The form in which it was fetched.
    pub kind: Kind,
    /// The requirements of the content that runs.
    pub inspected: Inspected,
    /// The name of the granted policy.
    pub policy: String,
    /// The text of the policy if it came from a file, so that the grant does not depend on the file any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_text: Option<String>,
    /// Whether each of its requests is recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub audit: bool,
    /// Whether the user is asked about requests that its policy does not allow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ask: bool,
    /// The time of the installation, in RFC 3339, UTC.
    pub installed_at: String,
    /// The version of kwasm that installed it.
    pub kwasm: String,
}

/// The artifact in a registry that contained a plugin. All of its blobs are kept, so that it can be
/// transferred unchanged.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Origin {
    /// The reference with its tag: `HOST/REPOSITORY:TAG`.
    pub reference: String,
    /// The digest of the manifest, to which the plugin is pinned, and which signatures sign.
    pub manifest: Digest,
    /// The digest of the configuration.
    pub config: Digest,
    /// The manifests of its signatures. Empty if it was not signed, or if [`Self::unknown`] is set.
    #[serde(default)]
    pub signatures: Vec<Digest>,
    /// Whether its registry did not report if it is signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// The blobs that those manifests name.
    #[serde(default)]
    pub evidence: Vec<Digest>,
    /// The keys of trust.yaml by which signatures were verified.
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
    /// Returns every blob that the plugin needs: the content that runs, the fetched content, and the artifact
    /// that it was in.
    pub fn blobs(&self) -> impl Iterator<Item = Digest> {
        let artifact = self.artifact.iter().flat_map(|artifact| {
            let own = [artifact.manifest, artifact.config];
            own.into_iter().chain(artifact.signatures.iter().chain(&artifact.evidence).copied())
        });
        [self.digest, self.fetched].into_iter().chain(artifact)
    }

    /// Returns the granted policy.
    #[must_use]
    pub fn granted(&self) -> Granted {
        Granted { name: self.policy.clone(), text: self.policy_text.clone() }
    }
}
