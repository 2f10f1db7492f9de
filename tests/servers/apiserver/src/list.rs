//! Lists, whole or in pages.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hyper::Response;
use serde_json::{Value, json};

use crate::body::{self, Reply};
use crate::object::{Resource, Stored};
use crate::rest::number;
use crate::routes::Query;
use crate::selectors::Selector;
use crate::status::Refused;
use crate::store::{Key, Store};

/// Longer answers are sent chunked and made piece by piece.
const WHOLE: usize = 256 * 1024;
const PIECE: usize = 64 * 1024;

/// Answers a list of `resource`, in one namespace or in all.
///
/// `limit` and `continue` work as in Kubernetes, except that later pages show the objects as they are by then. The
/// version is that of the first page, so that a watch from there misses nothing.
pub(crate) fn answer(
    store: &Store,
    query: &Query,
    resource: &'static Resource,
    namespace: Option<&str>,
) -> Result<Response<Reply>, Refused> {
    let selector = Selector::parse(resource, query.get("labelSelector"), query.get("fieldSelector"))?;
    let limit = query.get("limit").map(|limit| number(limit, "limit")).transpose()?.unwrap_or(0);
    let snapshot = store.snapshot(resource, namespace);
    let page = query.get("continue").map(Page::parse).transpose()?;
    let version = page.as_ref().map_or(snapshot.version, |page| page.version);
    store.still_known(version)?;
    if query.get("resourceVersionMatch") == Some("Exact") {
        let wanted = number(query.get("resourceVersion").unwrap_or("0"), "resourceVersion")?;
        if wanted != snapshot.version {
            // Only the newest state of each object is kept.
            return Err(Refused::expired(format!("too old resource version: {wanted} ({version})")));
        }
    }
    let mut found: Vec<(Key, Arc<Stored>)> = snapshot.objects;
    found.retain(|(key, stored)| {
        page.as_ref().is_none_or(|page| page.precedes(key)) && selector.takes(&stored.value)
    });
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit > 0 && found.len() > limit {
        metadata["remainingItemCount"] = json!(found.len() - limit);
        found.truncate(limit);
        if let Some((last, _)) = found.last() {
            metadata["continue"] = json!(Page::after(last, version));
        }
    }
    let head = format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"v1\",\"metadata\":{metadata},\"items\":[",
        resource.kind
    );
    let items = found.into_iter().map(|(_, stored)| stored.item.clone()).collect();
    Ok(body::answer(200, "application/json", send(head, items)))
}

fn send(head: String, items: Vec<Bytes>) -> Reply {
    let length: usize = items.iter().map(|item| item.len() + 1).sum();
    let mut pieces = Pieces { head: Some(head), items: items.into_iter(), first: true, ended: false };
    if length > WHOLE {
        return body::stream(pieces, None);
    }
    let mut text = Vec::with_capacity(length + 200);
    pieces.by_ref().for_each(|piece| text.extend_from_slice(&piece));
    body::whole(text)
}

/// The text of a list in pieces of about [`PIECE`] bytes.
struct Pieces {
    head: Option<String>,
    items: std::vec::IntoIter<Bytes>,
    first: bool,
    ended: bool,
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut text = self.head.take().unwrap_or_default().into_bytes();
        while !self.ended && text.len() < PIECE {
            if let Some(item) = self.items.next() {
                if !std::mem::take(&mut self.first) {
                    text.push(b',');
                }
                text.extend_from_slice(&item);
            } else {
                text.extend_from_slice(b"]}");
                self.ended = true;
            }
        }
        (!text.is_empty()).then(|| Bytes::from(text))
    }
}

/// The contents of a `continue` token.
struct Page {
    version: u64,
    namespace: String,
    name: String,
}

impl Page {
    fn after(last: &Key, version: u64) -> String {
        let token = json!({ "v": version, "namespace": last.namespace, "name": last.name });
        URL_SAFE_NO_PAD.encode(token.to_string())
    }

    fn parse(token: &str) -> Result<Self, Refused> {
        let refused = || Refused::bad_request("continue key is not valid");
        let text = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused())?;
        let token: Value = serde_json::from_slice(&text).map_err(|_| refused())?;
        let version = token["v"].as_u64().ok_or_else(refused)?;
        let namespace = token["namespace"].as_str().ok_or_else(refused)?.to_owned();
        let name = token["name"].as_str().ok_or_else(refused)?.to_owned();
        Ok(Self { version, namespace, name })
    }

    fn precedes(&self, key: &Key) -> bool {
        (&self.namespace, &self.name) < (&key.namespace, &key.name)
    }
}
