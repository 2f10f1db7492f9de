//! The form of an archive: its files, their limits, and the annotations that make a manifest a plugin or a signature.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::reference::Digest;
use crate::registry::{Artifact, LIMIT};

/// The largest size of an archive in bytes. All of it is in memory while it is loaded.
pub(super) const MOST_BYTES: u64 = 4 * LIMIT;
/// The largest number of files in an archive.
pub(super) const MOST_ENTRIES: usize = 4096;
/// The largest size of a manifest in bytes, as for registries.
pub(super) const LONGEST: u64 = 4 << 20;

pub(super) const LAYOUT: &str = "oci-layout";
pub(super) const INDEX: &str = "index.json";
pub(super) const BLOBS: &str = "blobs/sha256/";

pub(super) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The annotation with the artifact's reference, by which `skopeo` and `oras` choose a manifest.
pub(super) const REFERENCE: &str = "org.opencontainers.image.ref.name";
pub(super) const DESCRIPTION: &str = "org.opencontainers.image.description";
/// The annotation that marks a manifest of the index as a plugin.
pub(super) const NAME: &str = "dev.kwasm.name";
pub(super) const SOURCE: &str = "dev.kwasm.source";
pub(super) const PLUGIN_VERSION: &str = "dev.kwasm.version";
pub(super) const POLICY: &str = "dev.kwasm.policy";
/// The annotation that marks a manifest of the index as a signature, with the digest of the signed manifest.
pub(super) const SIGNS: &str = "dev.kwasm.signs";

/// `oci-layout`.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layout {
    pub(super) image_layout_version: String,
}

/// `index.json`.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    pub(super) schema_version: u64,
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) manifests: Vec<Descriptor>,
}

/// The fields of a manifest that are read and written.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) schema_version: u64,
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// A reference to content.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub(super) fn of(media_type: &str, content: &Artifact) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: content.digest(),
            size: content.bytes().len() as u64,
            annotations: BTreeMap::new(),
        }
    }

    pub(super) fn annotated<'a>(mut self, annotations: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        self.annotations = annotations.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        self
    }
}
