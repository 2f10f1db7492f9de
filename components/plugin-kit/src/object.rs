//! What all objects have in common.

use serde::Deserialize;
use std::collections::BTreeMap;

/// An object, of which only the metadata is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// Its version and group. In a list of one kind the server leaves it out.
    #[serde(default)]
    pub api_version: String,
    /// Its kind. In a list of one kind the server leaves it out.
    #[serde(default)]
    pub kind: String,
    /// Its metadata.
    #[serde(default)]
    pub metadata: Metadata,
}

/// A list of objects.
#[derive(Deserialize)]
pub(crate) struct Objects {
    pub(crate) items: Vec<Object>,
}

/// `metav1.ObjectMeta`, as far as plugins of this project read it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The name.
    #[serde(default)]
    pub name: String,
    /// The namespace; empty for an object that is in none.
    #[serde(default)]
    pub namespace: String,
    /// What is never the same for two objects.
    #[serde(default)]
    pub uid: String,
    /// The version, which changes with the object.
    #[serde(default)]
    pub resource_version: String,
    /// When it was created, in RFC 3339.
    #[serde(default)]
    pub creation_timestamp: Option<String>,
    /// When it was asked to be deleted, in RFC 3339.
    #[serde(default)]
    pub deletion_timestamp: Option<String>,
    /// The labels.
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
    /// The annotations.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
    /// The objects that it belongs to.
    #[serde(default)]
    pub owner_references: Option<Vec<Owner>>,
}

/// `metav1.OwnerReference`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The owner's version and group.
    #[serde(default)]
    pub api_version: String,
    /// The owner's kind.
    #[serde(default)]
    pub kind: String,
    /// The owner's name.
    #[serde(default)]
    pub name: String,
    /// The owner's UID.
    #[serde(default)]
    pub uid: String,
    /// Whether it is the one that manages the object.
    #[serde(default)]
    pub controller: Option<bool>,
}
