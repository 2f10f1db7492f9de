//! The requirements on the successor of an artifact, independent of `trust.yaml`. Pure.

use crate::reference::Digest;
use crate::registry::signature::Signer;

/// The signatures of an artifact that another is to replace.
///
/// If it was signed, its successor has to be signed too, by any signer: without a key, the signers cannot be
/// distinguished. If its signers were verified, one of them has to have signed again, or another one whose
/// key `trust.yaml` names now: so only the user can rotate a key.
#[derive(Debug, Default)]
pub struct Predecessor {
    /// Whether it had a signature, even of an unknown signer.
    pub signed: bool,
    /// The fingerprints of the keys by which its signatures were verified.
    pub signers: Vec<Digest>,
}

/// The signatures of an artifact, compared with its predecessor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Succession {
    /// The required signer signed it.
    Same,
    /// Others signed it, whose keys `trust.yaml` names.
    Rotated,
}

/// The reason why an artifact may not replace another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lost {
    /// The artifact is not signed, but its predecessor was.
    Signature,
    /// No signature of the artifact was verified, but one of its predecessor was.
    Signer,
}

impl Predecessor {
    /// Returns whether its successor needs a signature, so that a failed look-up cannot be ignored.
    #[must_use]
    pub fn requires_signature(&self) -> bool {
        self.signed || !self.signers.is_empty()
    }

    /// Judges a successor by whether it is `signed`, and by its verified signers.
    ///
    /// # Errors
    /// The missing signature or signer.
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

#[cfg(test)]
mod tests {
    use super::super::tests::{RULES, artifact, trust};
    use super::*;

    #[test]
    fn what_was_signed_is_followed_by_what_is_signed_by_the_same_key_or_by_a_new_one_of_the_user() {
        let (manifest, evidence) = artifact();
        let demand = trust(RULES).demand("registry.example.com/team/x", None);
        let verdict = demand.judge(manifest, &[evidence]).unwrap();
        let (team, other) = (verdict.signers()[0].fingerprint(), Digest::of(b"another key"));
        let after = |signed: bool, keys: &[Digest]| Predecessor { signed, signers: keys.to_vec() };

        assert_eq!(after(false, &[]).judge(false, &[]), Ok(Succession::Same));
        assert_eq!(after(true, &[]).judge(true, &[]), Ok(Succession::Same));
        assert_eq!(after(true, &[]).judge(false, &[]), Err(Lost::Signature));
        assert_eq!(after(true, &[other, team]).judge(true, verdict.signers()), Ok(Succession::Same));
        assert_eq!(after(true, &[other]).judge(true, verdict.signers()), Ok(Succession::Rotated));
        assert_eq!(after(true, &[team]).judge(true, &[]), Err(Lost::Signer));
        assert_eq!(after(false, &[team]).judge(true, &[]), Err(Lost::Signer));
        assert!(after(false, &[team]).requires_signature() && after(true, &[]).requires_signature());
        assert!(!Predecessor::default().requires_signature());
    }
}
