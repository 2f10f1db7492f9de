//! What is asked of an artifact for the sake of the one whose place it takes, whatever `trust.yaml` says. Pure.

use crate::reference::Digest;
use crate::registry::signature::Signer;

/// What is known of the signatures of an artifact whose place another is to take.
///
/// If it was signed, the other has to be, by whomever it says: without a key no one can recognise a stranger's signature. If
/// its signers were verified, one of them has to be again, or another whose key `trust.yaml` names now: so a key is rotated,
/// and only by the user.
#[derive(Debug, Default)]
pub struct Predecessor {
    /// Whether it had a signature, be it of no one who is known.
    pub signed: bool,
    /// The fingerprints of the keys by which its signatures were verified.
    pub signers: Vec<Digest>,
}

/// How an artifact is signed, compared with its predecessor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Succession {
    /// By whom it has to be.
    Same,
    /// By others, whose keys `trust.yaml` names.
    Rotated,
}

/// Why an artifact may not take another's place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lost {
    /// It is not signed, and the other was.
    Signature,
    /// No signature of it was verified, and the other had one that was.
    Signer,
}

impl Predecessor {
    /// Returns whether what takes its place has to have a signature: then that this cannot be found out is no answer.
    #[must_use]
    pub fn requires_signature(&self) -> bool {
        self.signed || !self.signers.is_empty()
    }

    /// Judges an artifact that is to take its place: whether it is `signed`, and whose signatures were verified.
    ///
    /// # Errors
    /// What it lacks.
    pub fn judge(&self, signed: bool, signers: &[Signer]) -> Result<Succession, Lost> {
        if self.signed && !signed {
            return Err(Lost::Signature);
        }
        // By their keys, whatever those are called.
        let is_known = |signer: &Signer| self.signers.contains(&signer.fingerprint());
        if self.signers.is_empty() || signers.iter().any(is_known) {
            Ok(Succession::Same)
        } else if signers.is_empty() {
            Err(Lost::Signer)
        } else {
            Ok(Succession::Rotated)
        }
    }
}
