//! The requirements that an artifact has to meet because of its predecessor, whatever `trust.yaml` says. Pure.

use crate::reference::Digest;
use crate::registry::signature::Signer;

/// The known signatures of an artifact that another is to replace.
///
/// An artifact must match its predecessor. If that was signed, it has to be signed too, by any signer: without a key, the
/// signers cannot be distinguished. If that one's signers were verified, one of them has to have signed again, or another
/// one whose key `trust.yaml` names now: so only the user can rotate a key.
#[derive(Debug, Default)]
pub struct Predecessor {
    /// Whether it had a signature, by any signer.
    pub signed: bool,
    /// The fingerprints of the keys by which its signatures were verified.
    pub signers: Vec<Digest>,
}

/// The signers of an artifact, compared with those of its predecessor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Succession {
    /// It is signed by one of the same signers, as far as that is required.
    Same,
    /// It is signed by others, whose keys `trust.yaml` names.
    Rotated,
}

/// The reason why an artifact may not replace its predecessor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lost {
    /// It is not signed, and its predecessor was.
    Signature,
    /// No signature of it was verified, and its predecessor had one that was.
    Signer,
}

impl Predecessor {
    /// Returns whether its successor has to have a signature: then it is an error if that cannot be determined.
    #[must_use]
    pub fn requires_signature(&self) -> bool {
        self.signed || !self.signers.is_empty()
    }

    /// Judges an artifact that is to replace it: `signed` is whether it has a signature, `signers` those whose
    /// signatures were verified.
    ///
    /// # Errors
    /// If it lacks what is required.
    pub fn judge(&self, signed: bool, signers: &[Signer]) -> Result<Succession, Lost> {
        if self.signed && !signed {
            return Err(Lost::Signature);
        }
        // By its key and regardless of the key's name.
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
