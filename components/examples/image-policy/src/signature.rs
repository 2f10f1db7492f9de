//! Signatures of cosign's, in its layout of tags ([`SIGNATURE_SPEC`][1]): a payload that names a manifest ("simple signing"), a layer
//! of the manifest `sha256-HEX.sig`, whose annotation has the signature of its bytes.
//!
//! Entries of a transparency log are not looked at: the keys of the rules decide.
//!
//! [1]: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{DerSignature, VerifyingKey};
use serde::Deserialize;

const MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const TYPE: &str = "cosign container image signature";

/// The most signatures of one image that are looked at: whoever may push there may add more.
const MOST: usize = 16;

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    #[serde(default)]
    media_type: String,
    digest: String,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Default, Deserialize)]
struct Annotations {
    #[serde(rename = "dev.cosignproject.cosign/signature")]
    signature: Option<String>,
}

/// What is signed. The name beside the digest is not read, as `cosign verify` does not: the same manifest at a mirror is the
/// same image.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Named,
    r#type: String,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// Verifies that one of the keys signed the image with this digest. `blob` fetches a payload.
///
/// # Errors
/// Why it is not.
pub(crate) fn verify(
    manifest: &[u8],
    digest: &str,
    keys: &[VerifyingKey],
    mut blob: impl FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<(), String> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|error| format!("the manifest of its signatures is malformed: {error}"))?;
    let layers = manifest.layers.iter().filter(|layer| layer.media_type == MEDIA_TYPE);
    for layer in layers.take(MOST) {
        let signature = layer.annotations.signature.as_deref().unwrap_or_default();
        let Ok(signature) = data_encoding::BASE64.decode(signature.as_bytes()) else { continue };
        let Ok(signature) = DerSignature::try_from(&*signature) else { continue };
        let payload = blob(&layer.digest)?;
        // The bytes are trusted only once they are verified.
        let is_signed = keys.iter().any(|key| key.verify(&payload, &signature).is_ok());
        if is_signed && names(&payload, digest) {
            return Ok(());
        }
    }
    Err("none of its signatures is of this image and by a key of the rules".to_owned())
}

fn names(payload: &[u8], digest: &str) -> bool {
    serde_json::from_slice::<Payload>(payload)
        .is_ok_and(|Payload { critical }| critical.r#type == TYPE && critical.image.digest == digest)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use p256::pkcs8::DecodePublicKey;

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../../tests/fixtures/signatures/", $name))
        };
    }

    pub(crate) const DIGEST: &str = "sha256:840b7ab73ab656afd63ba4bec8b7b5bdb3a8423d810dbe54adf972c3faf20e19";
    pub(crate) const KEY: &str = fixture!("ecdsa.pub");
    pub(crate) const MANIFEST: &str = fixture!("ecdsa-simple-manifest.json");
    pub(crate) const PAYLOAD: &str = fixture!("ecdsa-simple-payload.json");

    fn verified(manifest: &str, digest: &str, key: &str, payload: &str) -> Result<(), String> {
        let key = VerifyingKey::from_public_key_pem(key).unwrap();
        verify(manifest.as_bytes(), digest, &[key], |_| Ok(payload.as_bytes().to_vec()))
    }

    #[test]
    fn what_cosign_signed_is_verified_and_nothing_near_it() {
        assert_eq!(verified(MANIFEST, DIGEST, KEY, PAYLOAD), Ok(()));
        let none = Err("none of its signatures is of this image and by a key of the rules".to_owned());
        assert_eq!(verified(MANIFEST, DIGEST, fixture!("other.pub"), PAYLOAD), none);
        assert_eq!(verified(MANIFEST, DIGEST, KEY, &PAYLOAD.replace("example", "exampel")), none);
        assert_eq!(verified(MANIFEST, &DIGEST.replace("840b", "840c"), KEY, PAYLOAD), none);
        for (what, instead) in
            [("MEYC", "MEYD"), ("dev.cosignproject", "dev.other"), ("simplesigning", "other")]
        {
            assert_eq!(verified(&MANIFEST.replace(what, instead), DIGEST, KEY, PAYLOAD), none, "{what}");
        }
        assert!(verified("{", DIGEST, KEY, PAYLOAD).unwrap_err().contains("is malformed"));
    }

    #[test]
    fn a_signature_by_one_of_several_keys_is_enough() {
        let keys = [fixture!("other.pub"), KEY].map(|pem| VerifyingKey::from_public_key_pem(pem).unwrap());
        let two = fixture!("two-simple-manifest.json");
        assert_eq!(verify(two.as_bytes(), DIGEST, &keys, |_| Ok(PAYLOAD.as_bytes().to_vec())), Ok(()));
    }

    #[test]
    fn a_payload_that_cannot_be_fetched_is_an_error() {
        let key = VerifyingKey::from_public_key_pem(KEY).unwrap();
        let away = verify(MANIFEST.as_bytes(), DIGEST, &[key], |_| Err("away".to_owned()));
        assert_eq!(away, Err("away".to_owned()));
    }
}
