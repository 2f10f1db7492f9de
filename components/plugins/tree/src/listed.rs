//! Objects as the server lists them.

use crate::family::Object;
use crate::status::{self, Health};
use kube_guest::{Resource, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// An object, whose fields are read only if it is in the tree.
#[derive(Default, Deserialize)]
pub(crate) struct Listed {
    #[serde(default)]
    pub(crate) metadata: Meta,
    spec: Option<Box<RawValue>>,
    status: Option<Box<RawValue>>,
}

/// An object of which nothing is kept if it has no owners, and so no place in the tree.
#[derive(Deserialize)]
#[serde(from = "Listed")]
pub(crate) struct Owned(pub(crate) Option<Box<Listed>>);

impl From<Listed> for Owned {
    fn from(listed: Listed) -> Self {
        let owned = listed.metadata.owners.as_ref().is_some_and(|owners| !owners.is_empty());
        Self(owned.then(|| Box::new(listed)))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Meta {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    pub(crate) uid: String,
    generation: Option<i64>,
    creation_timestamp: Option<String>,
    deletion_timestamp: Option<String>,
    #[serde(rename = "ownerReferences")]
    owners: Option<Vec<Owner>>,
}

#[derive(Deserialize)]
struct Owner {
    #[serde(default)]
    uid: String,
}

impl Listed {
    /// Returns what the tree needs of it; `index` is that of its resource.
    pub(crate) fn object(&self, index: usize, resource: &Resource) -> Object {
        let meta = &self.metadata;
        Object {
            uid: meta.uid.clone(),
            name: meta.name.clone(),
            namespace: meta.namespace.clone(),
            kind: resource.kind.clone(),
            api_version: resource.api_version(),
            created: meta.creation_timestamp.clone(),
            owners: meta.owners.iter().flatten().map(|owner| owner.uid.clone()).collect(),
            resource: index,
        }
    }

    /// Returns whether it is more than its metadata.
    pub(crate) fn is_full(&self) -> bool {
        self.spec.is_some() || self.status.is_some()
    }

    /// Returns its health, by the first of these types of conditions that it has.
    pub(crate) fn health(&self, api_version: &str, kind: &str, conditions: &[String]) -> Health {
        let value = |raw: &Option<Box<RawValue>>| {
            let read = raw.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok());
            read.unwrap_or(Value::Null)
        };
        let meta = &self.metadata;
        let metadata = json!({
            "generation": meta.generation, "creationTimestamp": meta.creation_timestamp,
            "deletionTimestamp": meta.deletion_timestamp,
        });
        let object = json!({
            "apiVersion": api_version, "kind": kind, "metadata": metadata,
            "spec": value(&self.spec), "status": value(&self.status),
        });
        status::health(&object, conditions, Timestamp::now().seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_owners_is_not_kept() {
        let owned = |text: &str| serde_json::from_str::<Owned>(text).unwrap().0;
        for alone in [
            "{}",
            r#"{"metadata": {"name": "a", "ownerReferences": null}}"#,
            r#"{"metadata": {"ownerReferences": []}}"#,
        ] {
            assert!(owned(alone).is_none(), "{alone}");
        }
        let text = r#"{"metadata": {"name": "a", "uid": "1", "ownerReferences": [{"uid": "2", "kind": "X"}, {}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}"#;
        let listed = owned(text).unwrap();
        assert!(listed.is_full());
        assert_eq!(listed.object(3, &Resource::default()).owners, ["2", ""]);
        assert_eq!(listed.health("v1", "Pod", &["Ready".to_owned()]).status, "Current");
    }
}
