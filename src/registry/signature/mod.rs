//! Signatures by key, as cosign makes them, verified against one manifest's digest. Pure: the fetched data
//! comes as [`Evidence`], and no network, clock or transparency log is used.
//!
//! The seam is [`verify`]: only this function makes a [`Signer`].
//!
//! ```compile_fail,E0451
//! fn forge(key: &kwasm::registry::signature::Key) -> kwasm::registry::signature::Signer {
//!     kwasm::registry::signature::Signer { name: key.name().to_owned(), fingerprint: key.fingerprint() }
//! }
//! ```

mod bundle;
mod error;
mod key;
mod layer;
mod payload;
mod sign;
mod simple;

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;

pub use self::bundle::{MEDIA_TYPE, PREDICATE_TYPE};
pub use self::error::{Error, LARGEST, MOST};
use self::key::Quorum;
pub use self::key::{Key, KeyError, KeySet, KeySetError};
pub use self::layer::{Layer, layers, tag};
use self::payload::{SignedPayload, named};
pub use self::sign::{PrivateKey, PrivateKeyError};
use crate::reference::Digest;

/// An unproven signature from a registry.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// A sigstore bundle, the content of a referrer's layer.
    Bundle(Bytes),
    /// cosign's older layout: a layer of the manifest tagged `sha256-<hex>.sig`.
    Simple {
        /// The content of the layer.
        payload: Bytes,
        /// The layer's annotation with its signature, in base64.
        signature: String,
    },
}

impl Evidence {
    fn read(&self) -> Result<SignedPayload, Error> {
        match self {
            Self::Bundle(bundle) => bundle::read(bundle),
            Self::Simple { payload, signature } => simple::read(payload, signature),
        }
    }
}

/// A signer whose signature of an artifact was verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signer {
    name: String,
    fingerprint: Digest,
}

impl Signer {
    fn of(key: &Key) -> Self {
        Self { name: key.name().to_owned(), fingerprint: key.fingerprint() }
    }

    /// Returns the name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the key's fingerprint: [`Key::fingerprint`].
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.fingerprint)
    }
}

/// Returns whether evidence claims to sign the artifact with this manifest. That proves nothing, since anyone
/// may claim it. But evidence without the claim, e.g. an attestation, junk, or the signature of another
/// artifact, is not a signature of this one, whoever made it.
#[must_use]
pub fn is_about(manifest: Digest, evidence: &Evidence) -> bool {
    evidence.read().is_ok_and(|signed| signed.subjects.contains(&manifest))
}

/// Verifies that `keys` signed the artifact whose manifest has this digest. Evidence that proves nothing does
/// not affect evidence that does, since anyone who may push to a registry can add some.
///
/// # Errors
/// The reason why it does not count as signed.
pub fn verify(manifest: Digest, evidence: &[Evidence], keys: &KeySet) -> Result<Vec<Signer>, Error> {
    if evidence.len() > MOST {
        return Err(Error::TooMany(evidence.len()));
    }
    let mut proved = BTreeSet::new();
    let mut why = Error::Unsigned;
    for evidence in evidence {
        match evidence.read().and_then(|signed| signed.prove(manifest, keys)) {
            Ok(fingerprints) => proved.extend(fingerprints),
            Err(error) if error.rank() < why.rank() => why = error,
            Err(_) => {}
        }
    }
    let (signed, missing): (Vec<&Key>, Vec<&Key>) =
        keys.keys().iter().partition(|key| proved.contains(&key.fingerprint()));
    match keys.quorum() {
        _ if signed.is_empty() => Err(why),
        Quorum::All if !missing.is_empty() => {
            Err(Error::Partly { signed: named(signed), missing: named(missing) })
        }
        Quorum::All | Quorum::Any => Ok(signed.into_iter().map(Signer::of).collect()),
    }
}

#[cfg(test)]
mod tests;
