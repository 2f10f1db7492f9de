//! Where a registry keeps evidence: layers of a referrer's manifest, or of the manifest with the older layout's tag.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{Error, malformed};
use super::payload::json;
use super::{Evidence, bundle, simple};
use crate::reference::Digest;

/// A layer that has evidence in it, to be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layer {
    digest: Digest,
    size: u64,
    kind: Kind,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Kind {
    Bundle,
    Simple { signature: String },
}

impl Layer {
    /// The digest of its content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The size of its content in bytes, as the manifest says; nothing over [`super::LARGEST`] is worth fetching.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The evidence that its content is.
    #[must_use]
    pub fn evidence(self, content: Bytes) -> Evidence {
        match self.kind {
            Kind::Bundle => Evidence::Bundle(content),
            Kind::Simple { signature } => Evidence::Simple { payload: content, signature },
        }
    }
}

/// The tag of the older layout: `sha256-<hex>.sig`, for the artifact with this manifest.
#[must_use]
pub fn tag(manifest: Digest) -> String {
    format!("sha256-{}.sig", manifest.hex())
}

/// The layers of a manifest that have evidence in them, by their own media types: what a manifest says it is as a whole
/// (`artifactType`) is not the same at all registries. An index, which has no layers, has none of them.
///
/// # Errors
/// When this is no manifest, or one of those layers cannot be found by what it says of it.
pub fn layers(manifest: &[u8]) -> Result<Vec<Layer>, Error> {
    let Manifest { layers, manifests } = json("manifest", manifest)?;
    let layers = match (layers, manifests) {
        (Some(layers), _) => layers,
        (None, Some(_)) => Vec::new(),
        // Anything else in JSON, e.g. an error that came as an answer, is not to be taken for a manifest without evidence.
        (None, None) => return Err(malformed("manifest", "there are no layers in it")),
    };
    let evidence = layers.into_iter().filter_map(|layer| {
        let kind = match layer.media_type.as_str() {
            bundle::MEDIA_TYPE => Kind::Bundle,
            // Without a signature it is evidence all the same, of which is told what is wrong with it.
            simple::MEDIA_TYPE => Kind::Simple {
                signature: layer.annotations.unwrap_or_default().signature.unwrap_or_default(),
            },
            _ => return None,
        };
        Some((kind, layer.digest, layer.size))
    });
    let found = evidence.map(|(kind, digest, size)| {
        let digest = Digest::try_from(digest).map_err(|error| Error::Malformed {
            part: "manifest",
            why: super::error::shown(&error.to_string()),
        })?;
        Ok(Layer { digest, size, kind })
    });
    found.collect()
}

#[derive(Deserialize)]
struct Manifest {
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    annotations: Option<Annotations>,
}

#[derive(Default, Deserialize)]
struct Annotations {
    // `simple::ANNOTATION`; an attribute takes no constant.
    #[serde(rename = "dev.cosignproject.cosign/signature")]
    signature: Option<String>,
}
