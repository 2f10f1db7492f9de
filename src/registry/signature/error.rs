//! Errors of signatures.

use crate::message::Explain;
use crate::reference::Digest;

/// The largest evidence that is read, in bytes.
pub const LARGEST: usize = 1 << 20;

/// The largest number of pieces of evidence that are read for one artifact.
pub const MOST: usize = 64;

/// The reason why an artifact does not count as signed.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The signature is of another artifact.
    #[error("its signature is for another artifact, {0}")]
    AnotherArtifact(Digest),
    /// The statements about the artifact do not sign it.
    #[error("it is not signed: what is attached to it is an attestation, `{0}`")]
    Attested(String),
    /// A claimed signature cannot be parsed.
    #[error("its signature is malformed: {part}: {why}")]
    Malformed {
        /// The part that cannot be parsed.
        part: &'static str,
        /// The reason.
        why: String,
    },
    /// Only some of the keys that all have to have signed did.
    #[error("it is signed by {}, but not by {}", names(signed), names(missing))]
    Partly {
        /// The keys that signed.
        signed: Vec<String>,
        /// The keys that did not.
        missing: Vec<String>,
    },
    /// There is more evidence than is read.
    #[error("it has {0} signatures, and at most {MOST} are checked")]
    TooMany(usize),
    /// There is no evidence.
    #[error("it is not signed")]
    Unsigned,
    /// The signature is of an unsupported kind.
    #[error("its signature is of a kind that is not supported: {0}")]
    Unsupported(String),
    /// The signature claims to be of this artifact, but none of the keys made it.
    #[error("its signature does not verify with {}", names(keys))]
    WrongKey {
        /// The keys that were tried.
        keys: Vec<String>,
        /// Whether one of them is an Ed25519 key.
        ed25519: bool,
    },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            // The same is true of cosign 3.1.3, and there is no safe interface to aws-lc's Ed25519ph.
            Self::WrongKey { ed25519: true, .. } => Some(
                "with Ed25519 keys cosign 3 signs by Ed25519ph, which its own `verify` refuses: use an ECDSA key"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl Error {
    /// Returns the precedence among several errors: the most specific one comes first.
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

/// Returns a text from evidence, shortened to fit into a message.
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

/// Joins names of keys for a sentence.
fn names(keys: &[String]) -> String {
    keys.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
