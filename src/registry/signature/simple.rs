//! cosign's older layout: a payload that names a manifest ("simple signing"), and a signature of exactly its
//! bytes.

use serde::Deserialize;

use super::error::{Error, malformed, shown};
use super::payload::{SignedPayload, base64, json};
use crate::reference::Digest;

/// The media type of a payload's layer.
pub(super) const MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// The annotation of that layer with the signature.
pub(super) const ANNOTATION: &str = "dev.cosignproject.cosign/signature";

const TYPE: &str = "cosign container image signature";

/// A payload. The identity beside the image is not read: it is where the artifact was pushed when it was
/// signed, and the same manifest at a mirror is the same artifact. `cosign verify` ignores it too.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    type_: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    manifest: Digest,
}

/// Reads the claims of a payload.
pub(super) fn read(payload: &[u8], signature: &str) -> Result<SignedPayload, Error> {
    let Payload { critical } = json("payload", payload)?;
    if critical.type_ != TYPE {
        return Err(Error::Unsupported(format!("a payload of the type `{}`", shown(&critical.type_))));
    }
    if signature.is_empty() {
        return Err(malformed(ANNOTATION, "it is missing"));
    }
    Ok(SignedPayload {
        message: payload.to_vec(),
        signature: base64(ANNOTATION, signature)?,
        subjects: vec![critical.image.manifest],
        certified: false,
    })
}
