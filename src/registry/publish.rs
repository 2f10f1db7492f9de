//! Pushes a component as the artifact that `wkg`, `oras` and all others know: one manifest, one configuration, one layer.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderValue;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use serde::Serialize;

use super::host::Host;
use super::manifest::{CONFIG, INDEX, LAYER, MANIFEST};
use super::packages::{self, Place};
use super::signature::{self, PrivateKey};
use super::versions::proven;
use super::{Artifact, Error, Registries, referrers};
use crate::reference::{Digest, Image, Package};

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
const CREATED: &str = "1970-01-01T00:00:00Z";

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
    pub fn place_of(&self, package: &Package, version: &semver::Version) -> Result<Image, Error> {
        match self.runtime.block_on(packages::place(&self.settings, package))? {
            Place::Image(image) => image
                .with_tag(&version.to_string())
                .map_err(|error| Error::Push { reference: package.to_string(), what: error.to_string() }),
            Place::Local(_) => Err(Error::Push {
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
            let push = Push::open(self, &host, image).await?;
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

/// The manifest of a signature, as cosign writes it.
fn referrer(subject: &Artifact, config: &Artifact, bundle: &Artifact) -> Artifact {
    let subject = descriptor(MANIFEST, subject);
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": signature::MEDIA_TYPE,
        "config": descriptor("application/vnd.oci.empty.v1+json", config),
        "layers": [descriptor(signature::MEDIA_TYPE, bundle)],
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": signature::PREDICATE_TYPE,
            "org.opencontainers.image.created": CREATED,
        },
        "subject": subject,
    });
    Artifact::from_bytes(manifest.to_string())
}

/// How a manifest names content.
pub(super) fn descriptor(media_type: &str, content: &Artifact) -> serde_json::Value {
    serde_json::json!({
        "mediaType": media_type, "digest": content.digest(), "size": content.bytes().len(),
    })
}

/// A repository that is pushed to, by oci-client.
struct Push<'a> {
    client: Client,
    host: &'a Host,
    reference: oci_client::Reference,
}

impl<'a> Push<'a> {
    async fn open(registries: &Registries, host: &'a Host, image: &Image) -> Result<Self, Error> {
        let config = ClientConfig {
            protocol: if host.is_plain() { ClientProtocol::Http } else { ClientProtocol::Https },
            ..registries.settings.push(image.host())?
        };
        let failed = |what: String| Error::Push { reference: image.to_string(), what };
        let client = Client::try_from(config).map_err(|error| failed(error.to_string()))?;
        let reference = oci_client::Reference::with_tag(
            host.api().to_owned(),
            host.repository().to_owned(),
            image.tag().unwrap_or("latest").to_owned(),
        );
        client.store_auth_if_needed(reference.resolve_registry(), &host.authorize_push().await?).await;
        Ok(Self { client, host, reference })
    }

    async fn blob(&self, blob: &Artifact) -> Result<(), Error> {
        let digest = blob.digest().to_string();
        // One that is there is not sent again.
        if self.client.blob_exists(&self.reference, &digest).await.unwrap_or(false) {
            return Ok(());
        }
        self.client
            .push_blob(&self.reference, blob.bytes().clone(), &digest)
            .await
            .map(drop)
            .map_err(|error| self.failed(&error))
    }

    /// Attaches a signature to a manifest that is there: a bundle.
    async fn sign(&self, subject: &Artifact, key: &PrivateKey) -> Result<(), Error> {
        let bundle = key.sign(subject.digest()).map_err(|error| Error::Push {
            reference: self.host.place(),
            what: format!("it cannot be signed: {error}"),
        })?;
        let (bundle, empty) = (Artifact::from_bytes(bundle), Artifact::from_bytes(&b"{}"[..]));
        let manifest = referrer(subject, &empty, &bundle);
        self.blob(&empty).await?;
        self.blob(&bundle).await?;
        self.put(&manifest.digest().to_string(), MANIFEST, &manifest).await?;
        // A registry without the referrers API finds it by this tag alone.
        match referrers::index_with(self.host, subject.digest(), &manifest).await? {
            Some(index) => self.put(&referrers::tag(subject.digest()), INDEX, &index).await,
            None => Ok(()),
        }
    }

    /// Puts a manifest or an index under a tag, or under its own digest.
    async fn put(&self, name: &str, media_type: &'static str, manifest: &Artifact) -> Result<(), Error> {
        let (registry, repository) =
            (self.reference.registry().to_owned(), self.reference.repository().to_owned());
        let reference = if name.starts_with("sha256:") {
            oci_client::Reference::with_digest(registry, repository, name.to_owned())
        } else {
            oci_client::Reference::with_tag(registry, repository, name.to_owned())
        };
        let bytes: Bytes = manifest.bytes().clone();
        self.client
            .push_manifest_raw(&reference, bytes, HeaderValue::from_static(media_type))
            .await
            .map_err(|error| self.failed(&error))?;
        let url = self.host.url(&format!("manifests/{name}"))?;
        let place = self.host.place();
        // What was sent has to be there now, as it was sent.
        match proven(self.host, &place, url, None).await? {
            Some((_, there)) if there == manifest.digest() => Ok(()),
            _ => Err(Error::Push {
                reference: format!("{place}:{name}"),
                what: "the registry took it and has something else there now".to_owned(),
            }),
        }
    }

    fn failed(&self, error: &oci_client::errors::OciDistributionError) -> Error {
        use oci_client::errors::OciDistributionError::{
            AuthenticationFailure, ServerError, UnauthorizedError,
        };
        match error {
            ServerError { code: 401 | 403, .. } | UnauthorizedError { .. } | AuthenticationFailure(_) => {
                Error::Denied {
                    place: self.host.place(),
                    what: format!("to push, {}", self.host.credentials.who()),
                    login: self.host.name().to_owned(),
                }
            }
            _ => Error::Push { reference: self.host.place(), what: error.to_string() },
        }
    }
}
