//! The artifacts that the registry is to serve.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::digest::digest;

/// The media type of a manifest that does not state its own.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
const WASM: &str = "application/wasm";

/// A manifest in the making, with its config and layers.
#[derive(Clone, Debug)]
#[must_use = "it is served once the registry has it: Wrong::push"]
pub struct Artifact {
    config: Part,
    layers: Vec<Part>,
    /// The fields of the manifest other than those made of its parts.
    fields: Map<String, Value>,
}

#[derive(Clone, Debug)]
struct Part {
    media_type: String,
    content: Bytes,
    annotations: Map<String, Value>,
}

impl Artifact {
    /// Returns an artifact of the CNCF's layout: a config, and one layer that is the component.
    pub fn component(wasm: impl Into<Bytes>) -> Self {
        let config = json!({"architecture": "wasm", "os": "wasip2"});
        Self::with_config(WASM_CONFIG, config.to_string()).layer(WASM, wasm)
    }

    /// Returns an artifact with any config, and no layer yet.
    pub fn with_config(media_type: &str, content: impl Into<Bytes>) -> Self {
        Self { config: Part::new(media_type, content), layers: Vec::new(), fields: Map::new() }
    }

    /// Adds a layer.
    pub fn layer(mut self, media_type: &str, content: impl Into<Bytes>) -> Self {
        self.layers.push(Part::new(media_type, content));
        self
    }

    /// Annotates the layer that was added last; does nothing without one.
    pub fn layer_annotation(mut self, name: &str, value: &str) -> Self {
        if let Some(layer) = self.layers.last_mut() {
            layer.annotations.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Annotates the manifest.
    pub fn annotation(mut self, name: &str, value: &str) -> Self {
        self.fields.entry("annotations").or_insert_with(|| json!({}))[name] = value.into();
        self
    }

    /// Makes it a referrer of the manifest with this digest and size.
    pub fn subject(self, digest: &str, size: usize) -> Self {
        self.field("subject", json!({"mediaType": MANIFEST, "digest": digest, "size": size}))
    }

    /// Sets a field of the manifest: `artifactType`, or anything else, such as wrong `layers`.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Returns the manifest's text. The same artifact has the same text, and so the same digest.
    #[must_use]
    pub fn manifest(&self) -> String {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.config.descriptor(),
            "layers": self.layers.iter().map(Part::descriptor).collect::<Vec<_>>(),
        });
        for (name, value) in &self.fields {
            manifest[name] = value.clone();
        }
        manifest.to_string()
    }

    /// Returns the contents of config and layers.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Bytes> {
        std::iter::once(&self.config).chain(&self.layers).map(|part| &part.content)
    }
}

impl Part {
    fn new(media_type: &str, content: impl Into<Bytes>) -> Self {
        Self { media_type: media_type.to_owned(), content: content.into(), annotations: Map::new() }
    }

    fn descriptor(&self) -> Value {
        let mut descriptor = json!({
            "mediaType": self.media_type,
            "digest": digest(&self.content),
            "size": self.content.len(),
        });
        if !self.annotations.is_empty() {
            descriptor["annotations"] = self.annotations.clone().into();
        }
        descriptor
    }
}
