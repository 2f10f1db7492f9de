//! The verifier of signatures, with arbitrary data from a registry: as a bundle, as a payload with its
//! signature in the first line, as a manifest, and as a key.

use std::sync::LazyLock;

use bytes::Bytes;
use kwasm::reference::Digest;
use kwasm::registry::signature::{Error, Evidence, Key, KeySet, LARGEST, layers, verify};
use serde_json::Value;

const MANIFEST: &[u8] = include_bytes!("../../fixtures/signatures/manifest.json");
const PAYLOAD: &[u8] = include_bytes!("../../fixtures/signatures/ecdsa-simple-payload.json");

/// All that was signed, in either layout.
const BUNDLES: [&[u8]; 2] = [
    include_bytes!("../../fixtures/signatures/ecdsa-bundle.json"),
    include_bytes!("../../fixtures/signatures/ed25519-bundle.json"),
];
const SIMPLE: [&[u8]; 3] = [
    include_bytes!("../../fixtures/signatures/ecdsa-simple-manifest.json"),
    include_bytes!("../../fixtures/signatures/ed25519-simple-manifest.json"),
    include_bytes!("../../fixtures/signatures/two-simple-manifest.json"),
];

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let key = |name, pem: &[u8]| Key::from_pem(name, pem).expect("cosign wrote it");
    let ecdsa = key("ecdsa.pub", include_bytes!("../../fixtures/signatures/ecdsa.pub"));
    let ed25519 = key("ed25519.pub", include_bytes!("../../fixtures/signatures/ed25519.pub"));
    KeySet::any_of(vec![ecdsa, ed25519]).expect("they are two keys")
});

/// Checks that only signed data is verified, and that each refusal has a message.
pub(crate) fn holds(data: &[u8]) {
    let manifest = Digest::of(MANIFEST);
    match verify(manifest, &[Evidence::Bundle(Bytes::copy_from_slice(data))], &KEYS) {
        Ok(signers) => {
            assert_eq!(signers.len(), 1, "{signers:?}");
            assert!(BUNDLES.map(signed_part).contains(&signed_part(data)));
        }
        Err(error) => can_be_told(&error),
    }
    let (signature, payload) = split(data);
    let signature = String::from_utf8_lossy(signature).into_owned();
    let evidence =
        Evidence::Simple { payload: Bytes::copy_from_slice(payload), signature: signature.clone() };
    match verify(manifest, &[evidence], &KEYS) {
        Ok(_) => assert!(payload == PAYLOAD && SIMPLE.iter().any(|manifest| signs(manifest, &signature))),
        Err(error) => can_be_told(&error),
    }
    match layers(data) {
        Ok(layers) => layers.into_iter().for_each(|layer| {
            // The content decides, whatever its declared type.
            let verified = verify(manifest, &[layer.evidence(Bytes::from_static(MANIFEST))], &KEYS);
            can_be_told(&verified.expect_err("an artifact signs nothing"));
        }),
        Err(error) => can_be_told(&error),
    }
    if let Ok(key) = Key::from_pem("key.pub", data) {
        assert_eq!(key.name(), "key.pub");
        KeySet::all_of(vec![key.clone(), key]).expect_err("it is the same key");
    }
}

fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    end.map_or((data, &[]), |end| (&data[..end], &data[end + 1..]))
}

/// Returns the signed part of a bundle, or the signature; the rest may be anything.
fn signed_part(bundle: &[u8]) -> [Value; 3] {
    let bundle: Value = serde_json::from_slice(bundle).expect("it was read");
    let envelope = &bundle["dsseEnvelope"];
    [&envelope["payload"], &envelope["payloadType"], &envelope["signatures"][0]["sig"]].map(Clone::clone)
}

/// Returns whether a manifest of the older layout has this signature.
fn signs(manifest: &[u8], signature: &str) -> bool {
    let manifest: Value = serde_json::from_slice(manifest).expect("cosign wrote it");
    let layers = manifest["layers"].as_array().expect("there are some");
    layers.iter().any(|layer| layer["annotations"]["dev.cosignproject.cosign/signature"] == signature)
}

fn can_be_told(error: &Error) {
    let text = error.to_string();
    assert!(text.len() < LARGEST / 1024 && !text.contains(char::is_control), "{text:?}");
}
