//! The image that a kubelet mounts as a volume with a component in it: one layer with one file.
//!
//! A container runtime mounts images, and of an artifact an empty folder, without an error. So a list of manifests may have
//! such an image beside the artifact. Its layer follows from the component's bytes alone, so that its digest tells
//! whether it has the same ones.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tar::{EntryType, Header};

use super::host::Host;
use super::manifest::{Descriptor, descriptor};
use super::manifest_list::{Listed, ManifestList};
use super::media_types::{CREATED, IMAGE_CONFIG, IMAGE_LAYER, INDEX, MANIFEST};
use super::transfer;
use super::versions::LONGEST_CONFIG;
use super::watcher::Nobody;
use super::{Artifact, Error, Found, Registries};
use crate::reference::Digest;

/// The name of the component's file in the image.
pub const VOLUME_FILE: &str = "plugin.wasm";

/// The architectures of nodes for which the image is listed. It is the same one for each: it has no program in it.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// The size of a record of a tar: a header is one, and content fills whole ones.
const RECORD: usize = 512;

/// An image with a component in it.
pub(super) struct VolumeImage {
    pub(super) layer: Artifact,
    pub(super) config: Artifact,
    pub(super) manifest: Artifact,
}

impl VolumeImage {
    /// Returns the image for a component: for the same bytes always the same.
    pub(super) fn of(component: &Artifact) -> Self {
        let layer = layer(component);
        let config = json!({
            "created": CREATED,
            "architecture": ARCHITECTURES[0],
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [layer.digest()]},
        });
        let config = Artifact::from_bytes(config.to_string());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(IMAGE_CONFIG, &config),
            "layers": [descriptor(IMAGE_LAYER, &layer)],
        });
        Self { layer, config, manifest: Artifact::from_bytes(manifest.to_string()) }
    }

    /// Returns the list of an artifact, made for this system of WebAssembly, and of the image. The artifact comes first:
    /// a reader that does not choose by platform takes it.
    pub(super) fn listed_beside(
        &self,
        artifact: &Artifact,
        system: &str,
        annotations: &BTreeMap<String, String>,
    ) -> Artifact {
        let entry = |manifest: &Artifact, os: &str, architecture: &str| {
            let mut entry = descriptor(MANIFEST, manifest);
            entry["platform"] = json!({"architecture": architecture, "os": os});
            entry
        };
        let images = ARCHITECTURES.map(|architecture| entry(&self.manifest, "linux", architecture));
        let manifests: Vec<Value> = [entry(artifact, system, "wasm")].into_iter().chain(images).collect();
        let mut list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        // Registries show those of what a tag leads to.
        if !annotations.is_empty() {
            list["annotations"] = json!(annotations);
        }
        Artifact::from_bytes(list.to_string())
    }
}

/// Returns the layer of the image, an uncompressed tar: what a compressor makes of the same bytes differs by its version.
fn layer(component: &Artifact) -> Artifact {
    let content = component.bytes();
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..VOLUME_FILE.len()].copy_from_slice(VOLUME_FILE.as_bytes());
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut tar = Vec::with_capacity(content.len() + 4 * RECORD);
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(content);
    // Two empty records are the end of a tar.
    tar.resize(tar.len().next_multiple_of(RECORD) + 2 * RECORD, 0);
    Artifact::from_bytes(tar)
}

/// The fields of an image's manifest that are read.
#[derive(Deserialize)]
struct ImageManifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// The field of an image's configuration that decides what is mounted: a node that has content with these digests, of any
/// image, takes that without fetching a layer.
#[derive(Deserialize)]
struct ImageConfig {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

impl Registries {
    /// Returns the reference, pinned by its digest, of which a kubelet mounts exactly `component` as a volume, whatever
    /// the platform of its node.
    ///
    /// # Errors
    /// [`Error::NoVolume`], if the artifact was not found in a list with an image for Linux; [`Error::Volume`], if any image
    /// of that list has other content; and [`Error::Altered`], if `component` is not the artifact's.
    pub fn volume(&self, found: &Found, component: &Artifact) -> Result<String, Error> {
        let reference = found.reference();
        if component.digest() != found.content() {
            return Err(Error::Altered { reference, named: found.content(), is: component.digest() });
        }
        let Some((host, image, list)) = found.listed() else { return Err(Error::NoVolume(reference)) };
        self.runtime.block_on(prove(host, &reference, list, component))?;
        // Without the tag, which not every runtime takes beside a digest.
        Ok(format!("{}@{}", image.full_name(), list.digest()))
    }
}

async fn prove(host: &Host, reference: &str, list: &ManifestList, component: &Artifact) -> Result<(), Error> {
    if !list.others().any(|image| image.system() == Some("linux")) {
        return Err(Error::NoVolume(reference.to_owned()));
    }
    let layer = layer(component).digest();
    let mut proven: Vec<&str> = Vec::new();
    for image in list.others() {
        if proven.contains(&image.digest()) {
            continue;
        }
        check(host, image, layer).await.map_err(|error| match error {
            Flaw::Fetch(error) => error,
            Flaw::Content(what) => {
                Error::Volume { reference: reference.to_owned(), platform: image.platform(), what }
            }
        })?;
        proven.push(image.digest());
    }
    Ok(())
}

/// The reason why an image does not prove what is mounted of it.
enum Flaw {
    Fetch(Error),
    Content(String),
}

impl From<Error> for Flaw {
    fn from(error: Error) -> Self {
        Self::Fetch(error)
    }
}

/// Checks that this layer is all of an image.
async fn check(host: &Host, image: &Listed, layer: Digest) -> Result<(), Flaw> {
    let manifest: ImageManifest = read(&image.fetch(host).await?, "its manifest")?;
    let [only] = &manifest.layers[..] else {
        return Err(Flaw::Content(format!("it has {} layers, and not one", manifest.layers.len())));
    };
    if only.digest() != layer {
        return Err(Flaw::Content(format!(
            "its layer is {}, and that of the component {layer}",
            only.digest()
        )));
    }
    if only.media_type() != IMAGE_LAYER {
        return Err(Flaw::Content(format!("its layer is {}, and not {IMAGE_LAYER}", only.media_type())));
    }
    let config = &manifest.config;
    if config.media_type() != IMAGE_CONFIG {
        let what = format!("its configuration is {}, and not {IMAGE_CONFIG}", config.media_type());
        return Err(Flaw::Content(what));
    }
    if config.size() > LONGEST_CONFIG {
        let what = format!("its configuration has {} bytes, of {LONGEST_CONFIG} at most", config.size());
        return Err(Flaw::Content(what));
    }
    let reference = host.server.full_name();
    let config = transfer::blob(host, config.named(&reference), &Nobody).await?;
    let config: ImageConfig = read(config.bytes(), "its configuration")?;
    if config.rootfs.diff_ids != [layer] {
        return Err(Flaw::Content("its configuration names other content than its layer".to_owned()));
    }
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(bytes: &Bytes, what: &str) -> Result<T, Flaw> {
    serde_json::from_slice(bytes).map_err(|cause| Flaw::Content(format!("{what} cannot be read: {cause}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_layer_has_the_component_as_its_only_file_and_follows_from_it_alone() {
        for length in [0, 1, RECORD - 1, RECORD, RECORD + 1] {
            let component = Artifact::from_bytes(vec![7; length]);
            let layer = layer(&component);
            assert_eq!(layer.bytes().len() % RECORD, 0);
            let mut archive = tar::Archive::new(&layer.bytes()[..]);
            let mut files = archive.entries().unwrap();
            let mut file = files.next().unwrap().unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            assert_eq!(content, component.bytes()[..]);
            let header = file.header();
            assert_eq!(file.path_bytes(), VOLUME_FILE.as_bytes());
            assert_eq!(
                (
                    header.mode().unwrap(),
                    header.uid().unwrap(),
                    header.gid().unwrap(),
                    header.mtime().unwrap()
                ),
                (0o644, 0, 0, 0)
            );
            assert!(files.next().is_none());
        }
    }

    /// Lists that were published by an earlier kwasm stay proven only as long as this does not change.
    #[test]
    fn the_digest_of_a_layer_never_changes() {
        let image = VolumeImage::of(&Artifact::from_bytes("a component"));
        insta::assert_snapshot!(image.layer.digest(), @"sha256:f990965d7756ed322ee3c803fe20663a5078203ff570c4a9fa7d35f95ac15b4d");
        let config: ImageConfig = serde_json::from_slice(image.config.bytes()).unwrap();
        assert_eq!(config.rootfs.diff_ids, [image.layer.digest()]);
    }

    #[test]
    fn the_artifact_is_the_plugin_of_the_list_that_is_made() {
        let artifact = Artifact::from_bytes("{}");
        let image = VolumeImage::of(&Artifact::from_bytes("a component"));
        let list = image.listed_beside(&artifact, "wasip2", &BTreeMap::new());
        let read = ManifestList::read("h.example/a:1", list.bytes()).unwrap().unwrap();
        assert_eq!(read.plugin().digest(), artifact.digest().to_string());
        let others: Vec<(&str, String)> =
            read.others().map(|image| (image.digest(), image.platform())).collect();
        let digest = image.manifest.digest().to_string();
        let expected = ["linux/amd64", "linux/arm64"].map(|platform| (digest.as_str(), platform.to_owned()));
        assert_eq!(others, expected);
    }
}
