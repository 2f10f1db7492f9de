//! The commands for config maps: one line of output for each, by its name.

use crate::error::Error;
use crate::stdout::line;
use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use std::collections::BTreeMap;

/// Prints the name of each.
pub(crate) async fn list(client: Client) -> Result<(), Error> {
    for found in Api::<ConfigMap>::default_namespaced(client).list(&ListParams::default()).await? {
        line(&found.name_any())?;
    }
    Ok(())
}

/// Prints `KEY=VALUE` for each of its entries.
pub(crate) async fn get(client: Client, name: &str) -> Result<(), Error> {
    let found = Api::<ConfigMap>::default_namespaced(client).get(name).await?;
    for (key, value) in found.data.unwrap_or_default() {
        line(&format!("{key}={value}"))?;
    }
    Ok(())
}

/// Gets it so many times, one after the other, and prints the number of its entries that came in all.
pub(crate) async fn get_many(client: Client, name: &str, times: usize) -> Result<(), Error> {
    let api = Api::<ConfigMap>::default_namespaced(client);
    let mut entries = 0;
    for _ in 0..times {
        entries += api.get(name).await?.data.unwrap_or_default().len();
    }
    line(&format!("{entries} entries"))
}

/// Prints `created NAME`.
pub(crate) async fn create(client: Client, name: &str, key: &str, value: &str) -> Result<(), Error> {
    let data = BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let mut new = ConfigMap { data: Some(data), ..ConfigMap::default() };
    new.metadata.name = Some(name.to_owned());
    let created = Api::default_namespaced(client).create(&PostParams::default(), &new).await?;
    line(&format!("created {}", created.name_any()))
}

/// Prints `patched NAME`.
pub(crate) async fn patch(client: Client, name: &str, key: &str, value: &str) -> Result<(), Error> {
    let patch = Patch::Merge(json!({ "data": { key: value } }));
    let api = Api::<ConfigMap>::default_namespaced(client);
    let patched = api.patch(name, &PatchParams::default(), &patch).await?;
    line(&format!("patched {}", patched.name_any()))
}

/// Prints `deleted NAME`.
pub(crate) async fn delete(client: Client, name: &str) -> Result<(), Error> {
    let api = Api::<ConfigMap>::default_namespaced(client);
    // Either the object, where its end takes a while, or a status: it is gone or going.
    drop(api.delete(name, &DeleteParams::default()).await?);
    line(&format!("deleted {name}"))
}

/// Prints `ADDED NAME`, `MODIFIED NAME` or `DELETED NAME` for each event, those that are there first, until `count` have
/// come. The server ends a watch after some minutes: it is begun again where it ended.
pub(crate) async fn watch(client: Client, count: Option<usize>) -> Result<(), Error> {
    let api = Api::<ConfigMap>::default_namespaced(client);
    let mut left = count.unwrap_or(usize::MAX);
    let mut version = "0".to_owned();
    while left > 0 {
        let mut events = std::pin::pin!(api.watch(&WatchParams::default(), &version).await?);
        while left > 0
            && let Some(event) = events.try_next().await?
        {
            let (what, object) = match event {
                WatchEvent::Added(object) => ("ADDED", object),
                WatchEvent::Modified(object) => ("MODIFIED", object),
                WatchEvent::Deleted(object) => ("DELETED", object),
                WatchEvent::Bookmark(bookmark) => {
                    version = bookmark.metadata.resource_version;
                    continue;
                }
                WatchEvent::Error(status) => return Err(kube::Error::Api(status).into()),
            };
            line(&format!("{what} {}", object.name_any()))?;
            left -= 1;
            version = object.resource_version().unwrap_or(version);
        }
    }
    Ok(())
}
