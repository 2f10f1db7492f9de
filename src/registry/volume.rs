//! The image that a kubelet mounts as a volume with a component in it: one layer with one file.
//!
//! A container runtime mounts images, and of an artifact an empty folder, without an error. So a list of manifests may have
//! such an image beside the artifact. It follows from the component's bytes alone, so that its digest tells whether it
//! has the same ones.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tar::{EntryType, Header};

use super::manifest::descriptor;
use super::manifest_list::{Listed, ManifestList};
use super::media_types::{CREATED, IMAGE_CONFIG, IMAGE_LAYER, INDEX, MANIFEST};
use super::{Artifact, Error, Found, Registries};

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

impl Registries {
    /// Returns the reference, pinned by its digest, of which a kubelet mounts exactly `component` as a volume, whatever
    /// the platform of its node.
    ///
    /// # Errors
    /// [`Error::NoVolume`], if the artifact was not found in a list with an image for Linux; [`Error::Volume`], if a node may
    /// choose anything but the image of the component; and [`Error::Altered`], if `component` is not the artifact's.
    pub fn volume(&self, found: &Found, component: &Artifact) -> Result<String, Error> {
        let reference = found.reference();
        if component.digest() != found.content() {
            return Err(Error::Altered { reference, named: found.content(), is: component.digest() });
        }
        let Some((image, list)) = found.listed() else { return Err(Error::NoVolume(reference)) };
        prove(list, &VolumeImage::of(component)).map_err(|flaw| match flaw {
            Flaw::NoImage => Error::NoVolume(reference),
            Flaw::Other { platform, what } => Error::Volume { reference, platform, what },
        })?;
        // Without the tag, which not every runtime takes beside a digest.
        Ok(format!("{}@{}", image.full_name(), list.digest()))
    }
}

/// The reason why a list does not prove what is mounted of it.
enum Flaw {
    NoImage,
    Other { platform: String, what: String },
}

/// Proves that whatever a node chooses of a list is this image. What images by other tools have beside the same file could be
/// read, but only as kwasm reads it, and what counts is how a node does.
fn prove(list: &ManifestList, image: &VolumeImage) -> Result<(), Flaw> {
    let other = |listed: &Listed, what: String| Err(Flaw::Other { platform: listed.platform(), what });
    if !list.others().any(|listed| listed.system() == Some("linux")) {
        return Err(Flaw::NoImage);
    }
    if !list.plugin().is_for_no_node() {
        return other(
            list.plugin(),
            "it is the plugin itself, which a node mounts as an empty folder".to_owned(),
        );
    }
    let expected = image.manifest.digest().to_string();
    match list.others().find(|listed| listed.digest() != expected) {
        Some(listed) => {
            other(listed, format!("it is {}, and that of the component {expected}", listed.digest()))
        }
        None => Ok(()),
    }
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
    fn the_digest_of_an_image_never_changes() {
        let image = VolumeImage::of(&Artifact::from_bytes("a component"));
        insta::assert_snapshot!(image.layer.digest(), @"sha256:f990965d7756ed322ee3c803fe20663a5078203ff570c4a9fa7d35f95ac15b4d");
        insta::assert_snapshot!(image.manifest.digest(), @"sha256:b752a4c4bbff8fb77ff0b5f1829f43711f3fe56bcc64a38e25d4efa971c2e76e");
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
