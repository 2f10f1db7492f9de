//! Manifests: a registry's description of the parts of an artifact.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use super::media_types::{DOCKER_MANIFEST, LAYER, MANIFEST, PLUGIN_INDEX};
use super::spelling::mistakable;
use super::transfer::Named;
use super::{Artifact, Error, LIMIT};
use crate::reference::Digest;

/// The media types of WebAssembly layers: the current one, and those of wasm-to-oci and of early krew-wasm.
const LAYERS: [&str; 3] = [
    LAYER,
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
];

/// The annotation of a manifest with the text of its plugin's request: its publisher's word, which the
/// component itself proves.
pub const REQUEST: &str = "dev.kwasm.policy";

/// The largest index of plugins, in bytes: some 60,000 plugins.
pub const LONGEST_INDEX: u64 = 64 << 20;

/// The kinds of artifacts that are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// An index of plugins.
    Index,
    /// One plugin.
    Plugin,
}

/// The manifest of one plugin, or of an index of plugins, proven by its digest, with exactly one layer.
#[derive(Clone)]
pub struct Manifest {
    bytes: Bytes,
    digest: Digest,
    config: Descriptor,
    layer: Descriptor,
    annotations: BTreeMap<String, String>,
}

/// A reference to content: media type, digest and size.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: Digest,
    size: u64,
}

impl Descriptor {
    /// Returns the reference for a transfer.
    pub(super) fn named<'a>(&self, reference: &'a str) -> Named<'a> {
        Named { reference, digest: self.digest, size: self.size }
    }

    /// Returns the digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the media type.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }
}

/// The fields of a manifest or an index that are read. Others are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u64,
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<serde::de::IgnoredAny>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl Manifest {
    /// Reads the manifest of one plugin, whose layer is WebAssembly.
    ///
    /// # Errors
    /// [`Error::Manifest`], if it is a manifest of something else, and [`Error::TooLarge`].
    pub fn read(reference: &str, bytes: Bytes) -> Result<Self, Error> {
        let manifest = Self::of_one_layer(reference, bytes, "a plugin")?;
        let Descriptor { media_type, size, .. } = manifest.layer();
        if !LAYERS.contains(&media_type.as_str()) {
            return Err(Error::Layer { reference: reference.to_owned(), media_type: media_type.clone() });
        }
        if *size > LIMIT {
            return Err(Error::TooLarge { what: reference.to_owned(), size: *size });
        }
        Ok(manifest)
    }

    /// Reads the manifest of an index of plugins.
    ///
    /// # Errors
    /// [`Error::Manifest`], if it is a manifest of something else, or of an index that is too large.
    pub(super) fn read_index(reference: &str, bytes: Bytes) -> Result<Self, Error> {
        let error = |what: String| Error::Manifest { reference: reference.to_owned(), what };
        let manifest = Self::of_one_layer(reference, bytes, "an index of plugins")?;
        let Descriptor { media_type, size, .. } = manifest.layer();
        if media_type != PLUGIN_INDEX {
            return Err(error(format!(
                "its layer is {media_type}, which is not that of an index of plugins"
            )));
        }
        if *size > LONGEST_INDEX {
            return Err(error(format!("it has {size} bytes, and an index has at most {LONGEST_INDEX}")));
        }
        Ok(manifest)
    }

    /// Reads a manifest with exactly one layer; `thing` is what it should be of.
    fn of_one_layer(reference: &str, bytes: Bytes, thing: &str) -> Result<Self, Error> {
        let error = |what: String| Error::Manifest { reference: reference.to_owned(), what };
        let document: Document = serde_json::from_slice(&bytes)
            .map_err(|cause| error(format!("its manifest cannot be read: {cause}")))?;
        if document.schema_version != 2 {
            return Err(error(format!(
                "its manifest has schema version {}, and not 2",
                document.schema_version
            )));
        }
        if let Some((name, known)) = mistakable(&bytes) {
            return Err(error(format!("its field `{name}` may be taken for `{known}`")));
        }
        if let Some(manifests) = &document.manifests {
            let plural = if manifests.len() == 1 { "" } else { "s" };
            return Err(error(format!(
                "it is a list of {} manifest{plural}, as for an image of several platforms, and {thing} has a single one",
                manifests.len()
            )));
        }
        if let Some(other) = document.media_type.filter(|it| it != MANIFEST && it != DOCKER_MANIFEST) {
            return Err(error(format!("its media type is {other}, which is not that of {thing}")));
        }
        let [layer] = <[Descriptor; 1]>::try_from(document.layers.unwrap_or_default())
            .map_err(|layers| error(format!("it has {} layers, and {thing} is exactly one", layers.len())))?;
        let config = document.config.ok_or_else(|| error("its manifest has no configuration".to_owned()))?;
        Ok(Self {
            digest: Digest::of(&bytes),
            bytes,
            config,
            layer,
            annotations: document.annotations.unwrap_or_default(),
        })
    }

    /// Returns the bytes, unchanged.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the digest, to which a plugin is pinned, and which signatures sign.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the configuration.
    #[must_use]
    pub fn config(&self) -> &Descriptor {
        &self.config
    }

    /// Returns the component or core module, or the index.
    #[must_use]
    pub fn layer(&self) -> &Descriptor {
        &self.layer
    }

    /// Returns the annotations.
    #[must_use]
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// Returns the text of the plugin's request, if its publisher states it.
    #[must_use]
    pub fn request(&self) -> Option<&str> {
        self.annotation(REQUEST)
    }

    /// Returns an annotation, e.g. `org.opencontainers.image.version`.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(String::as_str)
    }
}

/// Returns a manifest's reference to content.
pub(super) fn descriptor(media_type: &str, content: &Artifact) -> serde_json::Value {
    serde_json::json!({
        "mediaType": media_type, "digest": content.digest(), "size": content.bytes().len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::media_types::CONFIG;
    use serde_json::{Value, json};

    fn layer(media_type: &str, size: u64) -> Value {
        json!({"mediaType": media_type, "digest": Digest::of(b"layer"), "size": size})
    }

    fn manifest(layers: &[Value]) -> Value {
        json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": layers,
            "config": {"mediaType": CONFIG, "digest": Digest::of(b"config"), "size": 6},
            "annotations": {"org.opencontainers.image.version": "1.2.3"},
        })
    }

    fn read(value: &Value) -> Result<Manifest, String> {
        Manifest::read("h.example/a:1", value.to_string().into()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_manifest_with_one_layer_is_a_plugins_whoever_pushed_it() {
        for media_type in LAYERS {
            let read = read(&manifest(&[layer(media_type, 5)])).unwrap();
            assert_eq!((read.layer().size(), read.layer().digest()), (5, Digest::of(b"layer")));
            assert_eq!(read.config().digest(), Digest::of(b"config"));
            assert_eq!(read.annotation("org.opencontainers.image.version"), Some("1.2.3"));
        }
    }

    #[test]
    fn what_is_no_plugin_is_told_apart() {
        let refused = |value: &Value| read(value).err().unwrap();
        insta::assert_snapshot!(refused(&manifest(&[])), @"h.example/a:1: it has 0 layers, and a plugin is exactly one");
        insta::assert_snapshot!(refused(&manifest(&[layer(LAYER, 5), layer(LAYER, 5)])), @"h.example/a:1: it has 2 layers, and a plugin is exactly one");
        insta::assert_snapshot!(refused(&manifest(&[layer("application/vnd.oci.image.layer.v1.tar+gzip", 5)])), @"h.example/a:1: its layer is application/vnd.oci.image.layer.v1.tar+gzip, and not application/wasm");
        insta::assert_snapshot!(refused(&manifest(&[layer(LAYER, LIMIT + 1)])), @"h.example/a:1: it has 268435457 bytes, and a plugin may have 268435456 at most");
        insta::assert_snapshot!(refused(&json!({"schemaVersion": 2, "manifests": [{}]})), @"h.example/a:1: it is a list of 1 manifest, as for an image of several platforms, and a plugin has a single one");
        insta::assert_snapshot!(refused(&json!({"schemaVersion": 2, "manifests": [{}, {}]})), @"h.example/a:1: it is a list of 2 manifests, as for an image of several platforms, and a plugin has a single one");
        insta::assert_snapshot!(refused(&json!({"schemaVersion": 1})), @"h.example/a:1: its manifest has schema version 1, and not 2");
        insta::assert_snapshot!(refused(&json!([])), @"h.example/a:1: its manifest cannot be read: invalid length 0, expected struct Document with 6 elements at line 1 column 2");
    }
}
