//! Uploads that have begun, and the answers to them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::Method;
use serde_json::Value;

use super::Shared;
use super::answer::Answer;
use super::received::Side;
use super::service::Asked;
use crate::digest::digest;

/// Uploads by the names that they were given.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<Begun>);

#[derive(Default)]
struct Begun {
    open: HashMap<String, Vec<u8>>,
    count: usize,
}

impl Uploads {
    fn begin(&self) -> String {
        let mut begun = self.lock();
        begun.count += 1;
        let name = format!("upload-{}", begun.count);
        begun.open.insert(name.clone(), Vec::new());
        name
    }

    /// Adds to an upload, and returns its length.
    fn append(&self, name: &str, piece: &[u8]) -> Option<usize> {
        let mut begun = self.lock();
        let content = begun.open.get_mut(name)?;
        content.extend_from_slice(piece);
        Some(content.len())
    }

    fn end(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().open.remove(name)
    }

    fn lock(&self) -> MutexGuard<'_, Begun> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handles a step of an upload: POST begins, PATCH adds, PUT adds and ends it.
pub(crate) fn upload(shared: &Shared, asked: &Asked, repository: &str, name: &str) -> Answer {
    let unknown = || Answer::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    match (&asked.method, name) {
        (&Method::POST, "") => {
            let name = shared.uploads.begin();
            Answer::new(202, "text/plain", "").header("location", location(shared, repository, &name))
        }
        (&Method::PATCH, _) => match shared.uploads.append(name, &asked.body) {
            Some(length) => Answer::new(202, "text/plain", "")
                .header("location", location(shared, repository, name))
                .header("range", format!("0-{}", length.saturating_sub(1))),
            None => unknown(),
        },
        (&Method::PUT, _) => match shared.uploads.end(name) {
            Some(content) => end(shared, asked, repository, content),
            None => unknown(),
        },
        _ => Answer::error(405, "UNSUPPORTED", "no upload is asked for so"),
    }
}

fn end(shared: &Shared, asked: &Asked, repository: &str, mut content: Vec<u8>) -> Answer {
    content.extend_from_slice(&asked.body);
    let is = digest(&content);
    if asked.query.iter().all(|(name, value)| name != "digest" || *value != is) {
        return Answer::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    }
    shared.content().put_blob(content.into());
    created(&format!("/v2/{repository}/blobs/{is}"), &is)
}

/// Stores a manifest under a tag or its digest. Its parts have to exist.
pub(crate) fn put_manifest(shared: &Shared, asked: &Asked, repository: &str, reference: &str) -> Answer {
    let Ok(parsed) = serde_json::from_slice::<Value>(&asked.body) else {
        return Answer::error(400, "MANIFEST_INVALID", "manifest invalid");
    };
    let mut content = shared.content();
    let layers = parsed["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut parts = parsed.get("config").into_iter().chain(layers);
    if parts.any(|part| content.blob(part["digest"].as_str().unwrap_or_default()).is_none()) {
        return Answer::error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    }
    let is = digest(&asked.body);
    if reference.starts_with("sha256:") && reference != is {
        return Answer::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    }
    content.put_manifest(repository, asked.body.clone());
    if reference != is {
        content.tag(repository, reference, &is);
    }
    created(&format!("/v2/{repository}/manifests/{is}"), &is)
}

fn created(location: &str, digest: &str) -> Answer {
    Answer::new(201, "text/plain", "").header("location", location).header("docker-content-digest", digest)
}

/// Returns the location of an upload, with a query in which registries keep their state, and which the client
/// has to keep.
fn location(shared: &Shared, repository: &str, name: &str) -> String {
    let base = match shared.options.uploads {
        Side::Elsewhere => shared.base(Side::Elsewhere),
        Side::Registry => String::new(),
    };
    format!("{base}/v2/{repository}/blobs/uploads/{name}?state=once")
}
