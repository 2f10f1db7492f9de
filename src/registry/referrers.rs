//! Finds the signatures of an artifact in its registry: the referrers of its manifest, the tag that replaces
//! them at registries without the referrers API, and the tag of cosign's older layout.

mod list;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

pub(super) use self::list::tag;
use self::list::{Referrer, by_tag, first_page, referrers};
use super::host::Host;
use super::manifest::descriptor;
use super::media_types::{INDEX, MANIFEST};
use super::signature::{self, Evidence, Layer};
use super::transfer::{self, Named, proven};
use super::watcher::Nobody;
use super::{Artifact, Error};
use crate::reference::Digest;

/// An artifact that refers to another one and may sign it: its manifest, the blobs that it names, and the
/// evidence among them.
#[derive(Clone)]
pub struct Signature {
    manifest: Artifact,
    blobs: Vec<Artifact>,
    evidence: Vec<Evidence>,
}

impl Signature {
    /// Reads the manifest of a signature; `get` returns the blobs that it names by their digests.
    ///
    /// Returns `None` if it contains nothing that could be a signature.
    ///
    /// # Errors
    /// If the manifest is invalid, and the errors of `get`.
    pub fn read(
        manifest: Artifact,
        mut get: impl FnMut(Digest) -> Result<Artifact, Error>,
    ) -> Result<Option<Self>, Error> {
        let layers = layers(&manifest)?;
        let blobs = layers.iter().map(|layer| get(layer.digest())).collect::<Result<Vec<_>, _>>()?;
        Ok((!layers.is_empty()).then(|| Self::of(manifest, &layers, blobs)))
    }

    fn of(manifest: Artifact, layers: &[Layer], blobs: Vec<Artifact>) -> Self {
        let pairs = layers.iter().zip(&blobs);
        let evidence = pairs.map(|(layer, blob)| layer.clone().evidence(blob.bytes().clone())).collect();
        Self { manifest, blobs, evidence }
    }

    /// Returns the manifest.
    #[must_use]
    pub fn manifest(&self) -> &Artifact {
        &self.manifest
    }

    /// Returns the blobs that the manifest names.
    #[must_use]
    pub fn blobs(&self) -> &[Artifact] {
        &self.blobs
    }

    /// Returns the possible signatures.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// Returns whether it claims to sign the artifact with this manifest: [`signature::is_about`].
    #[must_use]
    pub fn signs(&self, manifest: Digest) -> bool {
        self.evidence.iter().any(|evidence| signature::is_about(manifest, evidence))
    }
}

/// Returns everything that may sign the manifest `subject`, or merely claims to: [`signature::verify`] and
/// [`Signature::signs`] tell which of it does.
///
/// If there are more than [`signature::MOST`] referrers, those are read that may be signatures by their
/// description in the registry. The description is unreliable, so the others are read too, as long as there
/// is room. They never block a plugin: a scanner may add a report each day, and unread evidence cannot prove
/// anything.
///
/// # Errors
/// If the registry does not report them, or if there are more possible signatures than are read.
pub(super) async fn signatures(host: &Host, subject: Digest) -> Result<Vec<Signature>, Error> {
    let mut referrers = referrers(host, subject).await?;
    let mut found = Found::new(host, subject);
    if let Some((bytes, digest)) = by_tag(host, &signature::tag(subject)).await? {
        referrers.retain(|referrer| referrer.digest != digest);
        found.add(Artifact::from_bytes(bytes), true)?;
    }
    // Each has to be read to know its contents. The tag's own manifest is one more.
    let likely = referrers.iter().filter(|referrer| referrer.may_sign).count();
    if likely > signature::MOST {
        return Err(found.too_many(likely));
    }
    for Referrer { digest, may_sign } in referrers.into_iter().take(signature::MOST) {
        found.add(manifest(host, digest).await?, may_sign)?;
    }
    found.fetched().await
}

/// The contents of the manifests read so far, counted before any blob is fetched.
struct Found<'a> {
    host: &'a Host,
    repository: String,
    subject: Digest,
    manifests: Vec<(Artifact, Vec<Layer>)>,
}

impl<'a> Found<'a> {
    fn new(host: &'a Host, subject: Digest) -> Self {
        Self { host, repository: host.server.full_name(), subject, manifests: Vec::new() }
    }

    /// Adds the evidence of a manifest. If it probably is not a signature, only as long as there is room.
    fn add(&mut self, manifest: Artifact, may_sign: bool) -> Result<(), Error> {
        // A signature's manifest has a few hundred bytes; as many as this only a report has.
        if manifest.bytes().len() > signature::LARGEST {
            return Ok(());
        }
        let layers = layers(&manifest)?;
        let all = layers.len() + self.manifests.iter().map(|(_, layers)| layers.len()).sum::<usize>();
        if all <= signature::MOST {
            if !layers.is_empty() {
                self.manifests.push((manifest, layers));
            }
            Ok(())
        } else if may_sign {
            Err(self.too_many(all))
        } else {
            Ok(())
        }
    }

    fn too_many(&self, count: usize) -> Error {
        let reference = format!("{}@{}", self.repository, self.subject);
        Error::Manifest { reference, what: signature::Error::TooMany(count).to_string() }
    }

    /// Fetches the evidence, each content once, since several signatures of the same payload all name it.
    async fn fetched(self) -> Result<Vec<Signature>, Error> {
        let mut contents: BTreeMap<Digest, Artifact> = BTreeMap::new();
        let mut signatures = Vec::new();
        for (manifest, layers) in self.manifests {
            for layer in &layers {
                let digest = layer.digest();
                if let Entry::Vacant(content) = contents.entry(digest) {
                    let named = Named { reference: &self.repository, digest, size: layer.size() };
                    content.insert(transfer::blob(self.host, named, &Nobody).await?);
                }
            }
            let blobs = layers.iter().filter_map(|layer| contents.get(&layer.digest()).cloned()).collect();
            signatures.push(Signature::of(manifest, &layers, blobs));
        }
        Ok(signatures)
    }
}

/// Returns the layers of a manifest that may be signatures. A layer larger than [`signature::LARGEST`] is an
/// attestation, e.g. a bill of materials: a signature contains little more than one digest.
fn layers(manifest: &Artifact) -> Result<Vec<Layer>, Error> {
    let mut layers = signature::layers(manifest.bytes()).map_err(|cause| {
        let reference = format!("the signature {}", manifest.digest());
        Error::Manifest { reference, what: cause.to_string() }
    })?;
    layers.retain(|layer| layer.size() <= signature::LARGEST as u64);
    Ok(layers)
}

async fn manifest(host: &Host, digest: Digest) -> Result<Artifact, Error> {
    let repository = host.server.full_name();
    let url = host.server.url(&format!("manifests/{digest}"))?;
    // One that its registry lists and does not have signs nothing; but to hide it would be too easy.
    let (bytes, _) = proven(host, &repository, url, Some(digest))
        .await?
        .ok_or_else(|| Error::NotFound(format!("{repository}@{digest}")))?;
    Ok(Artifact::from_bytes(bytes))
}

/// Returns the index for that tag with one more referrer, or `None` at a registry that finds referrers
/// itself.
///
/// # Errors
/// The same as [`signatures`].
pub(super) async fn index_with(
    host: &Host,
    subject: Digest,
    referrer: &Artifact,
) -> Result<Option<Artifact>, Error> {
    if first_page(host, subject).await?.is_some() {
        return Ok(None);
    }
    let mut manifests: Vec<serde_json::Value> = match by_tag(host, &tag(subject)).await? {
        None => Vec::new(),
        // To some registries the tag is the digest in another spelling.
        Some((_, digest)) if digest == subject => Vec::new(),
        Some((bytes, _)) => serde_json::from_slice::<serde_json::Value>(&bytes)
            .ok()
            .and_then(|mut index| serde_json::from_value(index["manifests"].take()).ok())
            .ok_or_else(|| host.server.answer("its list of referrers cannot be read".to_owned()))?,
    };
    let mut new = descriptor(MANIFEST, referrer);
    new["artifactType"] = signature::MEDIA_TYPE.into();
    manifests.push(new);
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    Ok(Some(Artifact::from_bytes(index.to_string())))
}
