//! The layers that contain evidence: of a referrer's manifest, or of the manifest with the older layout's
//! tag.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{Error, malformed};
use super::payload::json;
use super::{Evidence, bundle, simple};
use crate::reference::Digest;

/// A layer that contains evidence, to be fetched.
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
    /// Returns the digest of its content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the size of its content in bytes according to the manifest. Above [`super::LARGEST`], it is
    /// not worth fetching.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns its content as evidence.
    #[must_use]
    pub fn evidence(self, content: Bytes) -> Evidence {
        match self.kind {
            Kind::Bundle => Evidence::Bundle(content),
            Kind::Simple { signature } => Evidence::Simple { payload: content, signature },
        }
    }
}

/// Returns the tag of the older layout, `sha256-<hex>.sig`, for the artifact with this manifest.
#[must_use]
pub fn tag(manifest: Digest) -> String {
    format!("sha256-{}.sig", manifest.hex())
}

/// Returns the layers of a manifest that contain evidence, by their own media types. The type of the manifest
/// as a whole (`artifactType`) differs between registries. An index has no layers.
///
/// # Errors
/// If this is not a manifest, or if its entry for one of those layers is invalid.
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
            // Without a signature it is evidence all the same, whose defect is reported.
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
