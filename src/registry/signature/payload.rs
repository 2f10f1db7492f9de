//! The content of evidence, before any of it is proved.

use super::error::{Error, LARGEST, malformed, shown};
use super::key::{Key, KeySet};
use crate::reference::Digest;

/// What one piece of evidence says. That it can be read proves nothing.
pub(super) struct SignedPayload {
    /// The bytes that were signed, of which the subjects are part.
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// The manifests that it says it signs; there is one at least.
    pub(super) subjects: Vec<Digest>,
    /// It was made by a certificate's key, or says so.
    pub(super) certified: bool,
}

impl SignedPayload {
    /// The fingerprints of those of the keys that signed this, if it is about the manifest; one at least. Whatever the
    /// evidence says of the key that made it is passed over.
    pub(super) fn prove(&self, manifest: Digest, keys: &KeySet) -> Result<Vec<Digest>, Error> {
        if !self.subjects.contains(&manifest) {
            let other = self.subjects.first().copied();
            return Err(other.map_or_else(|| malformed("subject", "there is none"), Error::AnotherArtifact));
        }
        let signed = keys.keys().iter().filter(|key| key.verifies(&self.message, &self.signature));
        let fingerprints: Vec<Digest> = signed.map(Key::fingerprint).collect();
        if !fingerprints.is_empty() {
            Ok(fingerprints)
        } else if self.certified {
            Err(Error::Unsupported("one by a certificate (keyless), not by a key".to_owned()))
        } else {
            let ed25519 = keys.keys().iter().any(Key::is_ed25519);
            Err(Error::WrongKey { keys: named(keys.keys()), ed25519 })
        }
    }
}

/// JSON of a known shape. Of a key that is there twice it is not asked which one is meant.
pub(super) fn json<'a, T: serde::Deserialize<'a>>(part: &'static str, bytes: &'a [u8]) -> Result<T, Error> {
    if bytes.len() > LARGEST {
        return Err(malformed(
            part,
            &format!("it has {} bytes, and at most {LARGEST} are read", bytes.len()),
        ));
    }
    // serde_json alone would not look at the text of what is passed over.
    let text = str::from_utf8(bytes).map_err(|_| malformed(part, "it is not UTF-8 text"))?;
    serde_json::from_str(text).map_err(|error| malformed(part, &shown(&error.to_string())))
}

/// Base64 in its one strict spelling, so that an altered character never stands for the same bytes.
pub(super) fn base64(part: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    use base64::Engine as _;

    base64::prelude::BASE64_STANDARD.decode(text).map_err(|_| malformed(part, "it is not valid base64"))
}

pub(super) fn named<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Vec<String> {
    keys.into_iter().map(|key| key.name().to_owned()).collect()
}
