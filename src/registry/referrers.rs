//! Finds the signatures of an artifact in its registry: the referrers of its manifest, the tag that stands for them where a
//! registry cannot tell them, and the tag of cosign's older layout.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::Deserialize;

use super::host::Host;
use super::manifest::{INDEX, LONGEST, MANIFEST};
use super::publish::descriptor;
use super::signature::{self, Evidence};
use super::transfer::{self, Named};
use super::versions::{Nobody, proven};
use super::{Artifact, Descriptor, Error, tags};
use crate::reference::Digest;

/// One artifact that signs another: its manifest, what it names, and what of that may be a signature.
#[derive(Clone)]
pub struct Signature {
    manifest: Artifact,
    blobs: Vec<Artifact>,
    evidence: Vec<Evidence>,
}

/// The most referrers that are looked at.
const MOST: usize = 64;

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

impl Signature {
    /// Reads the manifest of a signature; `get` gives the blobs that it names by their digests.
    ///
    /// `None` when there is nothing in it that could be one.
    ///
    /// # Errors
    /// When the manifest is none, and those of `get`.
    pub fn read(
        manifest: Artifact,
        mut get: impl FnMut(Digest) -> Result<Artifact, Error>,
    ) -> Result<Option<Self>, Error> {
        let layers = layers(&manifest)?;
        let blobs = layers.iter().map(|layer| get(layer.digest())).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::of(manifest, &layers, blobs))
    }

    fn of(manifest: Artifact, layers: &[signature::Layer], blobs: Vec<Artifact>) -> Option<Self> {
        let evidence: Vec<Evidence> = layers
            .iter()
            .zip(&blobs)
            .map(|(layer, blob)| layer.clone().evidence(blob.bytes().clone()))
            .collect();
        (!evidence.is_empty()).then_some(Self { manifest, blobs, evidence })
    }

    /// Its manifest.
    #[must_use]
    pub fn manifest(&self) -> &Artifact {
        &self.manifest
    }

    /// What its manifest names.
    #[must_use]
    pub fn blobs(&self) -> &[Artifact] {
        &self.blobs
    }

    /// What may be a signature.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }
}

/// All that may sign the manifest `subject`.
///
/// # Errors
/// Whatever keeps the registry from telling.
pub(super) async fn signatures(host: &Host, subject: Digest) -> Result<Vec<Signature>, Error> {
    let place = host.place();
    let mut digests = referrers(host, subject).await?;
    let mut found = Vec::new();
    if let Some((bytes, digest)) = by_tag(host, &signature::tag(subject)).await? {
        digests.remove(&digest);
        found.push(bytes);
    }
    for digest in digests {
        let url = host.url(&format!("manifests/{digest}"))?;
        // One that its registry lists and does not have signs nothing; but to hide it would be too easy.
        let (bytes, _) = proven(host, &place, url, Some(digest))
            .await?
            .ok_or_else(|| Error::NotFound(format!("{place}@{digest}")))?;
        found.push(bytes);
    }
    let mut signatures = Vec::new();
    for bytes in found {
        let manifest = Artifact::from_bytes(bytes);
        let layers = layers(&manifest)?;
        let mut blobs = Vec::new();
        for layer in &layers {
            let named = Named { reference: &place, digest: layer.digest(), size: layer.size() };
            blobs.push(transfer::blob(host, named, &Nobody).await?);
        }
        signatures.extend(Signature::of(manifest, &layers, blobs));
    }
    Ok(signatures)
}

fn layers(manifest: &Artifact) -> Result<Vec<signature::Layer>, Error> {
    let error =
        |what: String| Error::Manifest { reference: format!("the signature {}", manifest.digest()), what };
    let layers = signature::layers(manifest.bytes()).map_err(|cause| error(cause.to_string()))?;
    if let Some(large) = layers.iter().find(|layer| layer.size() > signature::LARGEST as u64) {
        return Err(error(format!("{} bytes are no signature", large.size())));
    }
    Ok(layers)
}

/// The digests of the manifests that refer to `subject` ([distribution specification][1]).
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
async fn referrers(host: &Host, subject: Digest) -> Result<BTreeSet<Digest>, Error> {
    let mut found = BTreeSet::new();
    let mut next = Some(host.url(&format!("referrers/{subject}"))?);
    while let Some(url) = next.take() {
        let Some(document) = host.document(url, INDEX, LONGEST).await? else { break };
        let before = found.len();
        found.extend(digests(host, &document.bytes)?);
        if found.len() > MOST {
            return Err(host.answer(format!("more than {MOST} referrers of {subject}")));
        }
        next = if found.len() == before { None } else { tags::following(host, &document)? };
    }
    if found.is_empty()
        && let Some((bytes, _)) = by_tag(host, &tag(subject)).await?
    {
        found.extend(digests(host, &bytes)?);
    }
    if found.len() > MOST {
        return Err(host.answer(format!("more than {MOST} referrers of {subject}")));
    }
    Ok(found)
}

/// The tag that stands for the referrers of a manifest where a registry has no API for them: the [tag schema][1].
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
pub(super) fn tag(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// The index for that tag with one referrer more; `None` at a registry that finds referrers by itself.
///
/// # Errors
/// As [`signatures`].
pub(super) async fn index_with(
    host: &Host,
    subject: Digest,
    referrer: &Artifact,
) -> Result<Option<Artifact>, Error> {
    if host.document(host.url(&format!("referrers/{subject}"))?, INDEX, LONGEST).await?.is_some() {
        return Ok(None);
    }
    let mut manifests: Vec<serde_json::Value> = match by_tag(host, &tag(subject)).await? {
        None => Vec::new(),
        Some((bytes, _)) => serde_json::from_slice::<serde_json::Value>(&bytes)
            .ok()
            .and_then(|mut index| serde_json::from_value(index["manifests"].take()).ok())
            .ok_or_else(|| host.answer("its list of referrers cannot be read".to_owned()))?,
    };
    let mut new = descriptor(MANIFEST, referrer);
    new["artifactType"] = signature::MEDIA_TYPE.into();
    manifests.push(new);
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    Ok(Some(Artifact::from_bytes(index.to_string())))
}

async fn by_tag(host: &Host, tag: &str) -> Result<Option<(Bytes, Digest)>, Error> {
    proven(host, &host.place(), host.url(&format!("manifests/{tag}"))?, None).await
}

fn digests(host: &Host, index: &[u8]) -> Result<Vec<Digest>, Error> {
    let index: Index = serde_json::from_slice(index)
        .map_err(|error| host.answer(format!("its list of referrers cannot be read: {error}")))?;
    Ok(index.manifests.iter().map(Descriptor::digest).collect())
}
