//! Archives of plugins, to transfer them to machines without a network: an [OCI image layout][1] in a tar,
//! which `skopeo` and `oras` can read too.
//!
//! ```text
//! oci-layout
//! index.json            each plugin's manifest, with what is to be known of it; the manifests that sign those
//! blobs/sha256/<hex>    manifests, configurations, components, signatures
//! ```
//!
//! [1]: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md

mod form;
mod reader;
mod writer;

use std::io;

pub use self::reader::{layers, read};
pub use self::writer::write;
use super::Origin;
use crate::message::Explain;
use crate::reference::PluginName;
use crate::registry::Artifact;

/// A plugin in an archive.
pub struct Carried {
    /// The name under which it was installed when it was saved.
    pub name: PluginName,
    /// The source.
    pub source: String,
    /// The version, if known.
    pub version: Option<String>,
    /// The description in one line.
    pub description: Option<String>,
    /// The name of the policy that it was granted when it was saved. To be reported, never to be granted.
    pub policy: String,
    /// The reference of its artifact in a registry, `HOST/REPOSITORY:TAG`; `None` for one that was a file.
    pub reference: Option<String>,
    /// The manifest.
    pub manifest: Artifact,
    /// The configuration.
    pub config: Artifact,
    /// The component or core module.
    pub content: Artifact,
    /// The signatures of its manifest.
    pub signatures: Vec<Signed>,
}

/// An artifact that signs another.
pub struct Signed {
    /// The manifest of the signature.
    pub manifest: Artifact,
    /// The blobs that the manifest names.
    pub blobs: Vec<Artifact>,
}

impl Carried {
    /// Returns the artifact that it was in, with no signature verified yet; `None` for one that was a file.
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

    /// Returns all parts of the artifact but the content; none for one that was a file.
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

/// The reason why an archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive is compressed.
    #[error("it is compressed, and kwasm reads a plain tar")]
    Compressed,
    /// The archive is cut short or not a tar.
    #[error("it is not a tar, or is cut short")]
    Tar(#[source] io::Error),
    /// The archive contains no image layout.
    #[error("it is not an OCI layout: it has no {0}")]
    NoLayout(&'static str),
    /// The archive contains an entry that is not part of a layout.
    #[error("`{path}` {what}")]
    Entry {
        /// The path of the entry.
        path: String,
        /// The reason why it is not accepted.
        what: String,
    },
    /// The archive exceeds a limit.
    #[error("it has more than {0}")]
    TooMuch(String),
    /// Part of the archive cannot be parsed.
    #[error("{what} cannot be read")]
    Json {
        /// The name of the part.
        what: String,
        /// The reason.
        source: serde_json::Error,
    },
    /// A part names content that is missing or does not match.
    #[error("{what}: {why}")]
    Part {
        /// The name of the part.
        what: String,
        /// The reason.
        why: String,
    },
    /// The layout contains no plugin.
    #[error("it has no plugin that kwasm saved")]
    Empty,
    /// The archive cannot be written.
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

#[cfg(test)]
mod tests;
