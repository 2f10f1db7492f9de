//! Pushes a component as the artifact that `wkg`, `oras` and all others know: one manifest, one configuration, one layer.

use std::collections::BTreeMap;

use serde::Serialize;

use super::manifest::{CONFIG, LAYER, MANIFEST};
use super::packages::{self, PackageLocation};
use super::push::Push;
use super::signature::PrivateKey;
use super::versions::proven;
use super::{Artifact, Error, Registries};
use crate::reference::{Digest, Image, Package, tag_of};

/// What is published: a component with what is said of it.
pub struct Release {
    /// The component or core module.
    pub content: Artifact,
    /// The file's name in the artifact, e.g. `decoder.wasm`.
    pub title: String,
    /// The system it is made for: `wasip2`, or `wasip1` for a core module.
    pub system: &'static str,
    /// What it imports and exports; of a core module nothing.
    pub interface: Option<Interface>,
    /// Annotations of the manifest, `org.opencontainers.image.…`.
    pub annotations: BTreeMap<String, String>,
}

/// What a component imports and exports.
#[derive(Clone, Debug, Serialize)]
pub struct Interface {
    /// e.g. `wasi:cli/run@0.2.3`
    pub exports: Vec<String>,
    /// e.g. `wasi:http/outgoing-handler@0.2.3`
    pub imports: Vec<String>,
}

/// An artifact that was pushed, or that was there already.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its place, with its tag.
    pub image: Image,
    /// Its manifest's digest.
    pub digest: Digest,
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

/// The moment that all artifacts say they were made at: the same component is the same artifact, whenever it is published.
pub(super) const CREATED: &str = "1970-01-01T00:00:00Z";

impl Release {
    /// The configuration and the manifest of the artifact.
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
    /// Where a version of a package is to be published.
    ///
    /// # Errors
    /// As [`Registries::find`], and when its place is a folder of this machine.
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

    /// Pushes a release to a place in a registry. With `once`, for versions of packages, what is there already is not replaced.
    /// With a key, the tag is the last to be there: under it the artifact is never seen unsigned.
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
        self.runtime.block_on(async {
            let host = self.host(image).await?;
            let tag = image.tag().unwrap_or("latest");
            let url = host.url(&format!("manifests/{tag}"))?;
            if once
                && let Some((_, there)) = proven(&host, &image.to_string(), url, None).await?
                && there != manifest.digest()
            {
                return Err(Error::Published(image.to_string()));
            }
            let push = Push::to(&host);
            push.blob(&config).await?;
            push.blob(&release.content).await?;
            if let Some(key) = key {
                push.put(&manifest.digest().to_string(), MANIFEST, &manifest).await?;
                push.sign(&manifest, key).await?;
            }
            push.put(tag, MANIFEST, &manifest).await?;
            Ok(Published { image: image.clone(), digest: manifest.digest() })
        })
    }
}

/// How a manifest names content.
pub(super) fn descriptor(media_type: &str, content: &Artifact) -> serde_json::Value {
    serde_json::json!({
        "mediaType": media_type, "digest": content.digest(), "size": content.bytes().len(),
    })
}
