//! Signatures by key, as cosign makes them, verified against one manifest's digest. Pure: what was fetched comes as
//! [`Evidence`], and no network, clock or transparency log is asked.
//!
//! The seam is [`verify`]: it alone makes a [`Signer`].
//!
//! ```compile_fail,E0451
//! fn forge(key: &kwasm::registry::signature::Key) -> kwasm::registry::signature::Signer {
//!     kwasm::registry::signature::Signer { name: key.name().to_owned(), fingerprint: key.fingerprint() }
//! }
//! ```

mod bundle;
mod key;
mod layer;
mod sign;
mod simple;

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;

pub use self::bundle::{MEDIA_TYPE, PREDICATE_TYPE};
use self::key::Quorum;
pub use self::key::{Key, KeyError, KeySet, KeySetError};
pub use self::layer::{Layer, layers, tag};
pub use self::sign::{PrivateKey, PrivateKeyError};
use crate::message::Explain;
use crate::reference::Digest;

/// The largest evidence that is read, in bytes.
pub const LARGEST: usize = 1 << 20;

/// The most evidence of one artifact that is looked at.
pub const MOST: usize = 64;

/// What a registry gave out as a signature, none of it proved.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// A sigstore bundle: the content of a layer of a referrer.
    Bundle(Bytes),
    /// cosign's older layout: a layer of the manifest that is tagged `sha256-<hex>.sig`.
    Simple {
        /// The layer's content.
        payload: Bytes,
        /// The layer's annotation that signs it, in base64.
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

/// Somebody whose signature of an artifact was verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signer {
    name: String,
    fingerprint: Digest,
}

impl Signer {
    fn of(key: &Key) -> Self {
        Self { name: key.name().to_owned(), fingerprint: key.fingerprint() }
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's fingerprint: [`Key::fingerprint`].
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

/// Why an artifact does not count as signed.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// What is signed is something else.
    #[error("its signature is for another artifact, {0}")]
    AnotherArtifact(Digest),
    /// There are statements about it, but none of them signs it.
    #[error("it is not signed: what is attached to it is an attestation, `{0}`")]
    Attested(String),
    /// What claims to be a signature cannot be read.
    #[error("its signature is malformed: {part}: {why}")]
    Malformed {
        /// The part of it.
        part: &'static str,
        /// What is wrong there.
        why: String,
    },
    /// Some of the keys that all have to have signed it have.
    #[error("it is signed by {}, but not by {}", names(signed), names(missing))]
    Partly {
        /// The keys that have.
        signed: Vec<String>,
        /// The keys that have not.
        missing: Vec<String>,
    },
    /// There is more evidence than is looked at.
    #[error("it has {0} signatures, and at most {MOST} are checked")]
    TooMany(usize),
    /// There is no evidence at all.
    #[error("it is not signed")]
    Unsigned,
    /// A signature of a kind that is not verified here.
    #[error("its signature is of a kind that is not supported: {0}")]
    Unsupported(String),
    /// It says that it signs this artifact, and none of the keys made it as it is.
    #[error("its signature does not verify with {}", names(keys))]
    WrongKey {
        /// The keys that were tried.
        keys: Vec<String>,
        /// One of them is an Ed25519 key.
        ed25519: bool,
    },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            // So it is with cosign 3.1.3, and there is no safe interface to aws-lc's Ed25519ph.
            Self::WrongKey { ed25519: true, .. } => Some(
                "with Ed25519 keys cosign 3 signs by Ed25519ph, which its own `verify` refuses: use an ECDSA key"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl Error {
    /// The most telling of several comes first.
    fn rank(&self) -> u8 {
        match self {
            Self::Partly { .. } | Self::TooMany(_) | Self::WrongKey { .. } => 0,
            Self::Malformed { .. } => 1,
            Self::Unsupported(_) => 2,
            Self::AnotherArtifact(_) => 3,
            Self::Attested(_) => 4,
            Self::Unsigned => 5,
        }
    }
}

/// Whether evidence says that it signs the artifact with this manifest. That proves nothing: anybody may say so. But what
/// says less, e.g. an attestation, junk, or the signature of another artifact, is no signature of this one, whoever made it.
#[must_use]
pub fn is_about(manifest: Digest, evidence: &Evidence) -> bool {
    evidence.read().is_ok_and(|signed| signed.subjects.contains(&manifest))
}

/// Verifies that `keys` signed the artifact whose manifest has this digest. Evidence that proves nothing takes nothing
/// from evidence that does: whoever may push to a registry can add some.
///
/// # Errors
/// Why it does not count as signed.
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

/// What one piece of evidence says. That it can be read proves nothing.
struct SignedPayload {
    /// The bytes that were signed, of which the subjects are part.
    message: Vec<u8>,
    signature: Vec<u8>,
    /// The manifests that it says it signs; there is one at least.
    subjects: Vec<Digest>,
    /// It was made by a certificate's key, or says so.
    certified: bool,
}

impl SignedPayload {
    /// The fingerprints of those of the keys that signed this, if it is about the manifest; one at least. Whatever the
    /// evidence says of the key that made it is passed over.
    fn prove(&self, manifest: Digest, keys: &KeySet) -> Result<Vec<Digest>, Error> {
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
fn json<'a, T: serde::Deserialize<'a>>(part: &'static str, bytes: &'a [u8]) -> Result<T, Error> {
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
fn base64(part: &'static str, text: &str) -> Result<Vec<u8>, Error> {
    use base64::Engine as _;

    base64::prelude::BASE64_STANDARD.decode(text).map_err(|_| malformed(part, "it is not valid base64"))
}

fn malformed(part: &'static str, why: &str) -> Error {
    Error::Malformed { part, why: why.to_owned() }
}

/// A text out of evidence, as much of it as a message bears.
fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let plain =
        |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    let mut shown: String = text.chars().take(LONGEST).map(plain).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn named<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Vec<String> {
    keys.into_iter().map(|key| key.name().to_owned()).collect()
}

/// Names of keys in a sentence.
fn names(keys: &[String]) -> String {
    keys.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
