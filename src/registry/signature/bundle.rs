//! Sigstore bundles (v0.3): a DSSE envelope around an in-toto statement that names the signed artifact.
//!
//! The other contents of a bundle are ignored: hints at a key, timestamps, entries of a transparency log. A
//! trusted key needs none of them, and none of them can replace one.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{Error, malformed, shown};
use super::payload::{SignedPayload, base64, json};
use crate::reference::Digest;

/// The media type of a bundle, of its layer and inside it.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const OLDER_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";

pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
pub(super) const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The statement of `cosign sign`. Other predicates, e.g. a bill of materials, say something about the
/// artifact, but not that the signer vouches for it.
pub const PREDICATE_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Option<Material>,
    dsse_envelope: Option<Envelope>,
    message_signature: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    type_: String,
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digests,
}

/// The SHA-256 digest. Those of other algorithms do not matter, since registries name manifests by this one.
#[derive(Deserialize)]
struct Digests {
    sha256: Option<String>,
}

/// Reads the claims of a bundle.
pub(super) fn read(bundle: &[u8]) -> Result<SignedPayload, Error> {
    let bundle: Bundle = json("bundle", bundle)?;
    if ![MEDIA_TYPE, OLDER_MEDIA_TYPE].contains(&bundle.media_type.as_str()) {
        return Err(Error::Unsupported(format!(
            "a bundle of the media type `{}`",
            shown(&bundle.media_type)
        )));
    }
    if bundle.message_signature.is_some() {
        return Err(Error::Unsupported("one of a file (messageSignature), not of an artifact".to_owned()));
    }
    let Some(envelope) = bundle.dsse_envelope else {
        return Err(malformed("bundle", "there is no dsseEnvelope in it"));
    };
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(Error::Unsupported(format!(
            "an envelope of the type `{}`",
            shown(&envelope.payload_type)
        )));
    }
    // DSSE knows more of them; a bundle has one.
    let [signature] = &envelope.signatures[..] else {
        return Err(malformed("dsseEnvelope.signatures", "there has to be one"));
    };
    let payload = base64("dsseEnvelope.payload", &envelope.payload)?;
    let signature = base64("dsseEnvelope.signatures[0].sig", &signature.sig)?;
    let certified = bundle
        .verification_material
        .is_some_and(|material| material.certificate.is_some() || material.x509_certificate_chain.is_some());
    Ok(SignedPayload {
        subjects: subjects(&payload)?,
        message: encode(PAYLOAD_TYPE, &payload),
        signature,
        certified,
    })
}

fn subjects(payload: &[u8]) -> Result<Vec<Digest>, Error> {
    const DIGEST: &str = "dsseEnvelope.payload: subject.digest.sha256";
    let statement: Statement = json("dsseEnvelope.payload", payload)?;
    if statement.predicate_type != PREDICATE_TYPE {
        return Err(Error::Attested(shown(&statement.predicate_type)));
    }
    if statement.type_ != STATEMENT_TYPE {
        return Err(Error::Unsupported(format!("a statement of the type `{}`", shown(&statement.type_))));
    }
    let hex = statement.subject.into_iter().filter_map(|subject| subject.digest.sha256);
    let digests = hex.map(|hex| {
        Digest::try_from(format!("sha256:{hex}")).map_err(|_| malformed(DIGEST, "it is not a digest"))
    });
    let digests: Vec<Digest> = digests.collect::<Result<_, _>>()?;
    if digests.is_empty() { Err(malformed(DIGEST, "it is missing")) } else { Ok(digests) }
}

/// Returns DSSE's pre-authentication encoding of the signed bytes: the payload and its type, each with its
/// length.
pub(super) fn encode(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        assert_eq!(
            encode("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}
