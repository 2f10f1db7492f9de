//! Digests of content, as in registries.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Returns the digest of some content, e.g. `sha256:24eaf343…`.
#[must_use]
pub fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(content)))
}

/// Returns bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}
