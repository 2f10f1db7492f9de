//! Plugins in a file, to be carried to where there is no network: an [OCI image layout][1] in a tar, which `skopeo` and
//! `oras` read as well.
//!
//! ```text
//! oci-layout
//! index.json            each plugin's manifest, with what is to be known of it; the manifests that sign those
//! blobs/sha256/<hex>    manifests, configurations, components, signatures
//! ```
//!
//! [1]: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md

mod reader;
mod writer;

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

pub use self::reader::{layers, read};
pub use self::writer::write;
use super::Origin;
use crate::message::Explain;
use crate::reference::{Digest, PluginName};
use crate::registry::{Artifact, LIMIT};

/// A plugin as an archive has it.
pub struct Carried {
    /// What it was called where it was saved.
    pub name: PluginName,
    /// Where it came from.
    pub source: String,
    /// Its version, where anybody said so.
    pub version: Option<String>,
    /// What it says of itself, in a line.
    pub description: Option<String>,
    /// The name of the policy that it had where it was saved. To be told, and never to be granted.
    pub policy: String,
    /// Where its artifact was in a registry, `HOST/REPOSITORY:TAG`; `None` for one that was a file.
    pub reference: Option<String>,
    /// Its manifest.
    pub manifest: Artifact,
    /// Its configuration.
    pub config: Artifact,
    /// The component or core module.
    pub content: Artifact,
    /// What signs its manifest.
    pub signatures: Vec<Signed>,
}

/// An artifact that signs another.
pub struct Signed {
    /// Its manifest.
    pub manifest: Artifact,
    /// What that names.
    pub blobs: Vec<Artifact>,
}

impl Carried {
    /// The artifact that it was in, none of whose signatures was verified yet; `None` for one that was a file.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        let signatures = self.signatures.iter();
        Some(Origin {
            reference: self.reference.clone()?,
            manifest: self.manifest.digest(),
            config: self.config.digest(),
            signatures: signatures.clone().map(|signed| signed.manifest.digest()).collect(),
            evidence: signatures.flat_map(|signed| &signed.blobs).map(Artifact::digest).collect(),
            signers: Vec::new(),
            unknown: false,
        })
    }

    /// All that the artifact is made of, but for the content; nothing for one that was a file.
    #[must_use]
    pub fn parts(&self) -> Vec<Artifact> {
        if self.reference.is_none() {
            return Vec::new();
        }
        let own = [&self.manifest, &self.config];
        let signed =
            self.signatures.iter().flat_map(|signed| [&signed.manifest].into_iter().chain(&signed.blobs));
        own.into_iter().chain(signed).cloned().collect()
    }
}

/// Why an archive is none, or cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is compressed.
    #[error("it is compressed, and kwasm reads a plain tar")]
    Compressed,
    /// It cannot be read to its end, or is no tar.
    #[error("it is not a tar, or is cut short")]
    Tar(#[source] io::Error),
    /// It has no layout.
    #[error("it is not an OCI layout: it has no {0}")]
    NoLayout(&'static str),
    /// It has something that no layout has.
    #[error("`{path}` {what}")]
    Entry {
        /// The path in it.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// It has more than is read.
    #[error("it has more than {0}")]
    TooMuch(String),
    /// Something in it cannot be understood.
    #[error("{what} cannot be read")]
    Json {
        /// Which part.
        what: String,
        /// The reason.
        source: serde_json::Error,
    },
    /// A part names content that is not there, or is something else.
    #[error("{what}: {why}")]
    Part {
        /// Which part.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// It is a layout, and none of its manifests is said to be a plugin.
    #[error("it has no plugin that kwasm saved")]
    Empty,
    /// It cannot be written.
    #[error("it cannot be written")]
    Write(#[from] io::Error),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Empty | Self::NoLayout(_) => Some("kwasm save NAME -f FILE makes one".to_owned()),
            _ => None,
        }
    }
}

/// The most bytes of an archive: all of it is in memory while it is loaded.
pub(super) const MOST_BYTES: u64 = 4 * LIMIT;
/// The most files in it.
pub(super) const MOST_ENTRIES: usize = 4096;
/// The longest manifest, as for registries.
const LONGEST: u64 = 4 << 20;

const LAYOUT: &str = "oci-layout";
const INDEX: &str = "index.json";
const BLOBS: &str = "blobs/sha256/";

const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Where the artifact was: what `skopeo` and `oras` choose a manifest by.
const REFERENCE: &str = "org.opencontainers.image.ref.name";
const DESCRIPTION: &str = "org.opencontainers.image.description";
/// Which makes a manifest of the index a plugin.
const NAME: &str = "dev.kwasm.name";
const SOURCE: &str = "dev.kwasm.source";
const PLUGIN_VERSION: &str = "dev.kwasm.version";
const POLICY: &str = "dev.kwasm.policy";
/// Which makes a manifest of the index a signature: the digest of the manifest that it signs.
const SIGNS: &str = "dev.kwasm.signs";

/// `oci-layout`.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Layout {
    image_layout_version: String,
}

/// `index.json`.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u64,
    #[serde(default)]
    media_type: String,
    manifests: Vec<Descriptor>,
}

/// What is read of a manifest, and all that is written of one.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u64,
    #[serde(default)]
    media_type: String,
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// Names content.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

impl Descriptor {
    fn of(media_type: &str, content: &Artifact) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: content.digest(),
            size: content.bytes().len() as u64,
            annotations: BTreeMap::new(),
        }
    }

    fn annotated<'a>(mut self, annotations: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        self.annotations = annotations.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        self
    }
}

#[cfg(test)]
mod tests;
