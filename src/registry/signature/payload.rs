//! The contents of evidence, before they are proven.

use super::error::{Error, LARGEST, malformed, shown};
use super::key::{Key, KeySet};
use crate::reference::Digest;

/// The claims of one piece of evidence. Being able to read them proves nothing.
pub(super) struct SignedPayload {
    /// The signed bytes, which include the subjects.
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// The manifests that it claims to sign, at least one.
    pub(super) subjects: Vec<Digest>,
    /// Whether it was made with a certificate's key, or claims so.
    pub(super) certified: bool,
}

impl SignedPayload {
    /// Returns the fingerprints, at least one, of the keys that signed this, if it is about the manifest. The
    /// evidence's own statement about its key is ignored.
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

/// Parses JSON of a known shape. A duplicate key is an error.
pub(super) fn json<'a, T: serde::Deserialize<'a>>(part: &'static str, bytes: &'a [u8]) -> Result<T, Error> {
    if bytes.len() > LARGEST {
        return Err(malformed(
            part,
            &format!("it has {} bytes, and at most {LARGEST} are read", bytes.len()),
        ));
    }
    // serde_json alone would not check the encoding of ignored values.
    let text = str::from_utf8(bytes).map_err(|_| malformed(part, "it is not UTF-8 text"))?;
    serde_json::from_str(text).map_err(|error| malformed(part, &shown(&error.to_string())))
}

/// Decodes base64 in its strict spelling, so that an altered character never stands for the same bytes.
pub(super) fn base64(part: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    use base64::Engine as _;

    base64::prelude::BASE64_STANDARD.decode(text).map_err(|_| malformed(part, "it is not valid base64"))
}

pub(super) fn named<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Vec<String> {
    keys.into_iter().map(|key| key.name().to_owned()).collect()
}
