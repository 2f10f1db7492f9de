//! Why an artifact does not count as signed.

use crate::message::Explain;
use crate::reference::Digest;

/// The largest evidence that is read, in bytes.
pub const LARGEST: usize = 1 << 20;

/// The most evidence of one artifact that is looked at.
pub const MOST: usize = 64;

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
    pub(super) fn rank(&self) -> u8 {
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

pub(super) fn malformed(part: &'static str, why: &str) -> Error {
    Error::Malformed { part, why: why.to_owned() }
}

/// A text out of evidence, as much of it as a message bears.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let plain =
        |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    let mut shown: String = text.chars().take(LONGEST).map(plain).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Names of keys in a sentence.
fn names(keys: &[String]) -> String {
    keys.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
