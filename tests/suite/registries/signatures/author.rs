//! A signer at registries that do not accept uploads.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kwasm::reference::Digest;
use kwasm::registry::signature::{MEDIA_TYPE, PrivateKey, tag};
use kwasm_registry::{Artifact, Wrong};
use serde_json::{Value, json};

use crate::support::Kwasm;

const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub(super) struct Author(EcdsaKeyPair);

/// The way in which a signature is attached to its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attached {
    /// As a referrer, which the registry finds.
    Referrer,
    /// As a referrer in the index under the tag `sha256-HEX`.
    Index,
    /// As a payload under the tag `sha256-HEX.sig`.
    Simple,
}

impl Attached {
    pub(super) const ALL: [Self; 3] = [Self::Referrer, Self::Index, Self::Simple];

    /// Returns a registry in which a signature of this kind is found.
    pub(super) fn registry(self) -> Wrong {
        let builder = Wrong::builder();
        if self == Self::Referrer { builder.referrers() } else { builder }.start().unwrap()
    }

    /// Removes what was attached in this way.
    pub(super) fn detach(self, registry: &Wrong, subject: &str, attached: &str) {
        match self {
            Self::Referrer => registry.remove(attached),
            Self::Index => registry.untag("acme/hello", &index_tag(subject)),
            Self::Simple => registry.untag("acme/hello", &tag(digest(subject))),
        }
    }
}

impl Author {
    pub(super) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// Writes the public key to where trust.yaml and `--key` find it.
    pub(super) fn write_key(&self, kwasm: &Kwasm, name: &str) {
        let der = self.0.public_key().as_der().unwrap();
        let folder = kwasm.home().join("config/kwasm");
        std::fs::create_dir_all(&folder).unwrap();
        for folder in [&folder, kwasm.home()] {
            std::fs::write(folder.join(name), pem("PUBLIC KEY", der.as_ref())).unwrap();
        }
    }

    /// Returns the bundle that signs the manifest with this digest.
    pub(super) fn bundle(&self, subject: &str) -> Vec<u8> {
        let der = self.0.to_pkcs8v1().unwrap();
        let key = PrivateKey::from_pem(pem("PRIVATE KEY", der.as_ref()).as_bytes()).unwrap();
        key.sign(digest(subject)).unwrap()
    }

    /// Signs an artifact of `acme/hello`, and returns the digest of the signature's manifest.
    pub(super) fn sign(&self, registry: &Wrong, subject: &str, attached: Attached) -> String {
        if attached != Attached::Simple {
            return attach(registry, subject, attached, &self.bundle(subject));
        }
        let payload = json!({"critical": {
            "identity": {"docker-reference": ""},
            "image": {"docker-manifest-digest": subject},
            "type": "cosign container image signature",
        }});
        let payload = payload.to_string();
        let signature = self.0.sign(&SystemRandom::new(), payload.as_bytes()).unwrap();
        let signature = BASE64_STANDARD.encode(signature);
        let artifact = Artifact::with_config("application/vnd.oci.image.config.v1+json", "{}")
            .layer(SIMPLE, payload)
            .layer_annotation("dev.cosignproject.cosign/signature", &signature);
        registry.push("acme/hello", &tag(digest(subject)), &artifact)
    }
}

/// Returns the manifest that attaches a bundle, or something with its media type, to the artifact with this
/// digest.
pub(super) fn carrier(subject: &str, bundle: &[u8]) -> Artifact {
    Artifact::with_config(EMPTY, "{}")
        .layer(MEDIA_TYPE, bundle.to_vec())
        .field("artifactType", MEDIA_TYPE)
        .subject(subject, 500)
}

/// Attaches a bundle to an artifact of `acme/hello`, and returns the digest of the attached manifest.
pub(super) fn attach(registry: &Wrong, subject: &str, attached: Attached, bundle: &[u8]) -> String {
    let carrier = put(registry, &carrier(subject, bundle));
    if attached == Attached::Index {
        list(registry, subject, &[listed(&carrier)]);
    }
    carrier
}

/// Serves an artifact without a tag.
pub(super) fn put(registry: &Wrong, artifact: &Artifact) -> String {
    let digest = registry.push("acme/hello", "once", artifact);
    registry.untag("acme/hello", "once");
    digest
}

/// Puts a list of referrers under the tag that replaces the API.
pub(super) fn list(registry: &Wrong, subject: &str, referrers: &[Value]) {
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": referrers}).to_string();
    let index = registry.put_manifest("acme/hello", index);
    registry.tag("acme/hello", &index_tag(subject), &index);
}

/// Returns a list's entry for a manifest.
pub(super) fn listed(digest: &str) -> Value {
    json!({"mediaType": MANIFEST, "digest": digest, "size": 500, "artifactType": MEDIA_TYPE})
}

fn index_tag(subject: &str) -> String {
    subject.replace(':', "-")
}

fn digest(text: &str) -> Digest {
    text.parse().unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
}
