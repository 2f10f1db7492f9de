//! Publishes a component as the kind of artifact that `wkg`, `oras` and others know: one manifest, one
//! configuration, one layer; on request beside an image that can be mounted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::manifest::descriptor;
use super::media_types::{CONFIG, CREATED, EMPTY, INDEX, LAYER, MANIFEST, PLUGIN_INDEX};
use super::packages::{self, PackageLocation};
use super::push::Push;
use super::signature::PrivateKey;
use super::transfer::proven;
use super::volume::VolumeImage;
use super::{Artifact, Error, Registries};
use crate::reference::{Digest, Image, Package, tag_of};

/// A component to be published, with its metadata.
pub struct Release {
    /// The component or core module.
    pub content: Artifact,
    /// The name of the file in the artifact, e.g. `decoder.wasm`.
    pub title: String,
    /// The system that it is made for: `wasip2`, or `wasip1` for a core module.
    pub system: &'static str,
    /// The imports and exports; `None` for a core module.
    pub interface: Option<Interface>,
    /// The annotations of the manifest, `org.opencontainers.image.…`.
    pub annotations: BTreeMap<String, String>,
}

/// The imports and exports of a component.
#[derive(Clone, Debug, Serialize)]
pub struct Interface {
    /// The exports, e.g. `wasi:cli/run@0.2.3`.
    pub exports: Vec<String>,
    /// The imports, e.g. `wasi:http/outgoing-handler@0.2.3`.
    pub imports: Vec<String>,
}

/// An artifact that was pushed, or that existed already.
#[derive(Clone, Debug)]
pub struct Published {
    /// The reference with its tag.
    pub image: Image,
    /// The digest of what the tag leads to: the manifest, or the list of manifests that has it.
    pub digest: Digest,
    /// The digest of the artifact's own manifest.
    pub manifest: Digest,
}

/// The prefix of OCI's own annotations.
const STANDARD: &str = "org.opencontainers.image.";

/// How a release is published.
pub struct Terms<'a> {
    /// Whether existing content is kept, as for versions of packages.
    pub once: bool,
    /// Whether the tag leads to a list of the artifact and an image with the component, which a kubelet can mount.
    pub volume: bool,
    /// The key to sign with. The tag is pushed last, so that nothing is ever seen unsigned under it.
    pub key: Option<&'a PrivateKey>,
}

/// What is pushed.
struct Parts<'a> {
    blobs: Vec<&'a Artifact>,
    /// The manifest of the artifact itself.
    artifact: Artifact,
    listed: Option<Listed>,
}

/// A list of the artifact and an image.
struct Listed {
    image: Artifact,
    list: Artifact,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: &'a str,
    author: Option<String>,
    architecture: &'a str,
    os: &'a str,
    layer_digests: [Digest; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a Interface>,
}

impl Release {
    /// Returns the configuration and the manifest of the artifact.
    ///
    /// The same release always has the same bytes.
    #[must_use]
    pub fn artifact(&self) -> (Artifact, Artifact) {
        let config = Config {
            created: CREATED,
            author: None,
            architecture: "wasm",
            os: self.system,
            layer_digests: [self.content.digest()],
            component: self.interface.as_ref(),
        };
        let config = Artifact::from_bytes(serde_json::to_vec(&config).unwrap_or_default());
        let mut layer = descriptor(LAYER, &self.content);
        layer["annotations"] = serde_json::json!({"org.opencontainers.image.title": self.title});
        let mut manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": [layer],
        });
        if !self.annotations.is_empty() {
            manifest["annotations"] = serde_json::json!(self.annotations);
        }
        (config, Artifact::from_bytes(manifest.to_string()))
    }
}

impl Registries {
    /// Returns the repository in which to publish a version of a package.
    ///
    /// # Errors
    /// The same as [`Registries::find`], and an error if its place is a folder of this machine.
    pub fn image_of(&self, package: &Package, version: &semver::Version) -> Result<Image, Error> {
        match self.runtime.block_on(packages::locate(&self.settings, package))? {
            PackageLocation::Image(image) => image
                .with_tag(&tag_of(version))
                .map_err(|error| Error::Push { reference: package.to_string(), what: error.to_string() }),
            PackageLocation::Local(_) => Err(Error::Push {
                reference: package.to_string(),
                what: "its registry is a folder, which wkg publishes into".to_owned(),
            }),
        }
    }

    /// Pushes a release to a repository. With a key, both the artifact and, if there is one, the list that names it are
    /// signed: whoever verifies a tag asks for a signature of what it leads to, and kwasm for one of the artifact.
    ///
    /// # Errors
    /// [`Error::Push`], [`Error::Published`], [`Error::Denied`].
    pub fn publish(&self, release: &Release, image: &Image, terms: &Terms<'_>) -> Result<Published, Error> {
        let (config, artifact) = release.artifact();
        if !terms.volume {
            let parts = Parts { blobs: vec![&config, &release.content], artifact, listed: None };
            return self.push(&parts, image, terms);
        }
        let volume = VolumeImage::of(&release.content);
        // Those of kwasm's own are about the artifact.
        let described = release.annotations.iter().filter(|(name, _)| name.starts_with(STANDARD));
        let annotations = described.map(|(name, text)| (name.clone(), text.clone())).collect();
        let list = volume.listed_beside(&artifact, release.system, &annotations);
        let blobs = vec![&config, &release.content, &volume.config, &volume.layer];
        let listed = Some(Listed { image: volume.manifest.clone(), list });
        self.push(&Parts { blobs, artifact, listed }, image, terms)
    }

    /// Pushes an index of plugins, in the same way.
    ///
    /// # Errors
    /// [`Error::Push`], [`Error::Denied`].
    pub fn publish_index(
        &self,
        index: &Artifact,
        image: &Image,
        key: Option<&PrivateKey>,
    ) -> Result<Published, Error> {
        let config = Artifact::from_bytes(&b"{}"[..]);
        let mut layer = descriptor(PLUGIN_INDEX, index);
        layer["annotations"] = serde_json::json!({"org.opencontainers.image.title": "index.json"});
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": PLUGIN_INDEX,
            "config": descriptor(EMPTY, &config),
            "layers": [layer],
        });
        let artifact = Artifact::from_bytes(manifest.to_string());
        let parts = Parts { blobs: vec![&config, index], artifact, listed: None };
        self.push(&parts, image, &Terms { once: false, volume: false, key })
    }

    fn push(&self, parts: &Parts<'_>, image: &Image, terms: &Terms<'_>) -> Result<Published, Error> {
        let Parts { blobs, artifact, listed } = parts;
        let (media_type, tagged) =
            listed.as_ref().map_or((MANIFEST, artifact), |listed| (INDEX, &listed.list));
        self.runtime.block_on(async {
            let host = self.host(image).await?;
            let tag = image.tag().unwrap_or("latest");
            let url = host.server.url(&format!("manifests/{tag}"))?;
            if terms.once
                && let Some((_, there)) = proven(&host, &image.to_string(), url, None).await?
                && there != tagged.digest()
            {
                return Err(Error::Published(image.to_string()));
            }
            let push = Push::to(&host);
            for blob in blobs {
                push.blob(blob).await?;
            }
            if let Some(Listed { image, .. }) = listed {
                push.untagged(MANIFEST, image, None).await?;
                push.untagged(MANIFEST, artifact, terms.key).await?;
            }
            if terms.key.is_some() {
                push.untagged(media_type, tagged, terms.key).await?;
            }
            push.put(tag, media_type, tagged).await?;
            Ok(Published { image: image.clone(), digest: tagged.digest(), manifest: artifact.digest() })
        })
    }
}
