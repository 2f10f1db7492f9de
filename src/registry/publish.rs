//! Publishes a component as the kind of artifact that `wkg`, `oras` and others know: one manifest, one
//! configuration, one layer.

use std::collections::BTreeMap;

use serde::Serialize;

use super::manifest::descriptor;
use super::media_types::{CONFIG, CREATED, EMPTY, LAYER, MANIFEST, PLUGIN_INDEX};
use super::packages::{self, PackageLocation};
use super::push::Push;
use super::signature::PrivateKey;
use super::transfer::proven;
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
    /// The digest of the manifest.
    pub digest: Digest,
}

/// The parts of an artifact to be pushed.
struct Parts<'a> {
    config: Artifact,
    content: &'a Artifact,
    manifest: Artifact,
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

    /// Pushes a release to a repository. With `once`, for versions of packages, existing content is not
    /// replaced. With a key, the tag is pushed last, so that the artifact is never seen unsigned under it.
    ///
    /// # Errors
    /// [`Error::Push`], [`Error::Published`], [`Error::Denied`].
    pub fn publish(
        &self,
        release: &Release,
        image: &Image,
        once: bool,
        key: Option<&PrivateKey>,
    ) -> Result<Published, Error> {
        let (config, manifest) = release.artifact();
        self.push(&Parts { config, content: &release.content, manifest }, image, once, key)
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
        let manifest = Artifact::from_bytes(manifest.to_string());
        self.push(&Parts { config, content: index, manifest }, image, false, key)
    }

    fn push(
        &self,
        parts: &Parts<'_>,
        image: &Image,
        once: bool,
        key: Option<&PrivateKey>,
    ) -> Result<Published, Error> {
        let Parts { config, content, manifest } = parts;
        self.runtime.block_on(async {
            let host = self.host(image).await?;
            let tag = image.tag().unwrap_or("latest");
            let url = host.server.url(&format!("manifests/{tag}"))?;
            if once
                && let Some((_, there)) = proven(&host, &image.to_string(), url, None).await?
                && there != manifest.digest()
            {
                return Err(Error::Published(image.to_string()));
            }
            let push = Push::to(&host);
            push.blob(config).await?;
            push.blob(content).await?;
            if let Some(key) = key {
                push.put(&manifest.digest().to_string(), MANIFEST, manifest).await?;
                push.sign(manifest, key).await?;
            }
            push.put(tag, MANIFEST, manifest).await?;
            Ok(Published { image: image.clone(), digest: manifest.digest() })
        })
    }
}
