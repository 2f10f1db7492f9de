//! The metadata of an object that says by which APIs it was written.

use serde::Deserialize;

/// `meta/v1.PartialObjectMetadata`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Object {
    pub(crate) metadata: Metadata,
}

/// `meta/v1.ObjectMeta`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    annotations: Option<Annotations>,
    pub(crate) managed_fields: Option<Vec<Manager>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Annotations {
    #[serde(default, rename = "kubectl.kubernetes.io/last-applied-configuration")]
    applied: Option<String>,
}

/// `meta/v1.ManagedFieldsEntry`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Manager {
    pub(crate) manager: Option<String>,
    pub(crate) api_version: Option<String>,
}

/// The head of a manifest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Head {
    pub(crate) api_version: String,
    pub(crate) kind: String,
}

impl Metadata {
    /// Returns the head of the manifest that `kubectl apply` keeps.
    pub(crate) fn applied(&self) -> Option<Head> {
        let text = self.annotations.as_ref()?.applied.as_deref()?;
        serde_json::from_str(text).ok()
    }
}
