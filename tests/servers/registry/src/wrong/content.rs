//! The contents of the registry.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde_json::{Value, json};

use super::artifact::{Artifact, MANIFEST};
use crate::digest::digest;

/// Blobs, shared by all repositories, and manifests.
#[derive(Default)]
pub(crate) struct Content {
    blobs: HashMap<String, Bytes>,
    repositories: HashMap<String, Repository>,
    well_known: Option<Value>,
}

#[derive(Default)]
struct Repository {
    /// By digest, in the order of their coming.
    manifests: Vec<(String, Manifest)>,
    /// To a digest.
    tags: BTreeMap<String, String>,
}

/// A manifest, or an index.
#[derive(Clone)]
pub(crate) struct Manifest {
    pub(crate) content: Bytes,
    pub(crate) media_type: String,
}

impl Content {
    pub(crate) fn push(&mut self, repository: &str, tag: &str, artifact: &Artifact) -> String {
        for blob in artifact.blobs() {
            self.put_blob(blob.clone());
        }
        let manifest = self.put_manifest(repository, artifact.manifest().into());
        self.tag(repository, tag, &manifest);
        manifest
    }

    pub(crate) fn put_blob(&mut self, content: Bytes) -> String {
        let digest = digest(&content);
        self.blobs.insert(digest.clone(), content);
        digest
    }

    /// Stores any bytes as a manifest, even if they are not one.
    pub(crate) fn put_manifest(&mut self, repository: &str, content: Bytes) -> String {
        let digest = digest(&content);
        let parsed: Value = serde_json::from_slice(&content).unwrap_or_default();
        let media_type = parsed["mediaType"].as_str().unwrap_or(MANIFEST).to_owned();
        let manifests = &mut self.repository(repository).manifests;
        manifests.retain(|(other, _)| *other != digest);
        manifests.push((digest.clone(), Manifest { content, media_type }));
        digest
    }

    pub(crate) fn say(&mut self, well_known: Value) {
        self.well_known = Some(well_known);
    }

    pub(crate) fn well_known(&self) -> Option<Value> {
        self.well_known.clone()
    }

    /// Sets a tag, which moves if it exists.
    pub(crate) fn tag(&mut self, repository: &str, tag: &str, digest: &str) {
        self.repository(repository).tags.insert(tag.to_owned(), digest.to_owned());
    }

    pub(crate) fn untag(&mut self, repository: &str, tag: &str) {
        self.repository(repository).tags.remove(tag);
    }

    pub(crate) fn remove(&mut self, digest: &str) {
        self.blobs.remove(digest);
        for repository in self.repositories.values_mut() {
            repository.manifests.retain(|(other, _)| other != digest);
        }
    }

    pub(crate) fn blob(&self, digest: &str) -> Option<Bytes> {
        self.blobs.get(digest).cloned()
    }

    /// Returns a manifest and its digest, by tag or digest.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Option<(String, Manifest)> {
        let repository = self.repositories.get(repository)?;
        let digest = repository.tags.get(reference).map_or(reference, String::as_str);
        repository.manifests.iter().find(|(other, _)| other == digest).cloned()
    }

    /// Returns the tags in order, as the specification requires.
    pub(crate) fn tags(&self, repository: &str) -> Option<Vec<String>> {
        Some(self.repositories.get(repository)?.tags.keys().cloned().collect())
    }

    /// Returns the descriptors of those manifests whose `subject` has this digest.
    pub(crate) fn referrers(
        &self,
        repository: &str,
        subject: &str,
        artifact_type: Option<&str>,
    ) -> Vec<Value> {
        let manifests = self.repositories.get(repository).map(|repository| repository.manifests.as_slice());
        let described = manifests.unwrap_or_default().iter().filter_map(|(digest, manifest)| {
            let parsed: Value = serde_json::from_slice(&manifest.content).ok()?;
            (parsed["subject"]["digest"] == *subject).then(|| descriptor(digest, manifest, &parsed))
        });
        described
            .filter(|descriptor| artifact_type.is_none_or(|wanted| descriptor["artifactType"] == *wanted))
            .collect()
    }

    fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }
}

/// Returns a manifest's descriptor. By the specification, the type of an artifact that names none is the
/// config's media type.
fn descriptor(digest: &str, manifest: &Manifest, parsed: &Value) -> Value {
    let artifact_type = parsed.get("artifactType").unwrap_or(&parsed["config"]["mediaType"]);
    let mut descriptor = json!({
        "mediaType": manifest.media_type,
        "digest": digest,
        "size": manifest.content.len(),
        "artifactType": artifact_type,
    });
    if let Some(annotations) = parsed.get("annotations") {
        descriptor["annotations"] = annotations.clone();
    }
    descriptor
}
