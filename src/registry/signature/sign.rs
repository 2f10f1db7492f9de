//! Signs like `cosign sign --key`, so that cosign and others can verify it.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;

use super::bundle::{MEDIA_TYPE, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, encode};
use crate::message::Explain;
use crate::reference::Digest;

/// A private key. No `Debug`, since it is secret.
pub struct PrivateKey(Pair);

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// The reason why a text is not a usable private key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PrivateKeyError {
    /// A key in cosign's own format, which only cosign can open.
    #[error("it is a cosign key, which only cosign can decrypt")]
    Cosign,
    /// A key with a password.
    #[error("it is encrypted")]
    Encrypted,
    /// A key in another format, or not a key.
    #[error("it is not a valid private key of P-256 or Ed25519 in PEM")]
    Other,
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

impl Explain for PrivateKeyError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Cosign => "publish it unsigned, and then: cosign sign --key KEY REPOSITORY@DIGEST",
            _ => "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY makes one",
        };
        Some(hint.to_owned())
    }
}

impl PrivateKey {
    /// Reads a key: PEM with a section `PRIVATE KEY`, or `EC PRIVATE KEY`.
    ///
    /// # Errors
    /// If it is not a key, or not of the two supported kinds.
    pub fn from_pem(pem: &[u8]) -> Result<Self, PrivateKeyError> {
        let has = |label: &str| pem.windows(label.len()).any(|part| part == label.as_bytes());
        if has("ENCRYPTED SIGSTORE PRIVATE KEY") || has("ENCRYPTED COSIGN PRIVATE KEY") {
            return Err(PrivateKeyError::Cosign);
        }
        if has("BEGIN ENCRYPTED PRIVATE KEY") {
            return Err(PrivateKeyError::Encrypted);
        }
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| PrivateKeyError::Other)?;
        let der = match &der {
            PrivateKeyDer::Pkcs8(der) => der.secret_pkcs8_der(),
            // As `openssl ecparam -genkey` writes it.
            PrivateKeyDer::Sec1(der) => {
                let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
                let pair = EcdsaKeyPair::from_private_key_der(algorithm, der.secret_sec1_der());
                return pair.map(|pair| Self(Pair::Ecdsa(pair))).map_err(|_| PrivateKeyError::Other);
            }
            _ => return Err(PrivateKeyError::Other),
        };
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der) {
            return Ok(Self(Pair::Ecdsa(pair)));
        }
        // openssl writes Ed25519 keys without their public half.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
            .map(|pair| Self(Pair::Ed25519(pair)))
            .map_err(|_| PrivateKeyError::Other)
    }

    /// Returns a bundle in which the owner of this key vouches for the artifact with this manifest.
    ///
    /// # Errors
    /// [`PrivateKeyError::Random`].
    pub fn sign(&self, manifest: Digest) -> Result<Vec<u8>, PrivateKeyError> {
        let statement = json!({
            "_type": STATEMENT_TYPE,
            "subject": [{"digest": {"sha256": manifest.hex()}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {},
        })
        .to_string();
        let signature = self.signature(&encode(PAYLOAD_TYPE, statement.as_bytes()))?;
        let bundle = json!({
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": self.hint()}},
            "dsseEnvelope": {
                "payload": STANDARD.encode(statement),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": STANDARD.encode(signature)}],
            },
        });
        Ok(bundle.to_string().into_bytes())
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, PrivateKeyError> {
        match &self.0 {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message);
                signature.map(|signature| signature.as_ref().to_vec()).map_err(|_| PrivateKeyError::Random)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }

    /// Returns the hint by which a verifier with several keys may find the right one: the SHA-256 of the
    /// public key, as in cosign.
    fn hint(&self) -> String {
        let der = match &self.0 {
            Pair::Ecdsa(pair) => pair.public_key().as_der().map(|der| der.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.public_key().as_der().map(|der| der.as_ref().to_vec()),
        };
        der.map(|der| STANDARD.encode(Digest::of(&der).bytes())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{EcPrivateKeyRfc5915Der, PublicKeyX509Der};
    use aws_lc_rs::signature::ECDSA_P384_SHA384_ASN1_SIGNING;

    use super::super::{Error, Evidence, Key, KeySet, verify};
    use super::*;

    fn pem(label: &str, der: &[u8]) -> Vec<u8> {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der)).into_bytes()
    }

    fn pairs() -> [(Vec<u8>, Vec<u8>); 2] {
        let ecdsa = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let ed = Ed25519KeyPair::generate().unwrap();
        let public = |der: PublicKeyX509Der<'_>| pem("PUBLIC KEY", der.as_ref());
        [
            (
                pem("PRIVATE KEY", ecdsa.to_pkcs8v1().unwrap().as_ref()),
                public(ecdsa.public_key().as_der().unwrap()),
            ),
            (
                pem("PRIVATE KEY", ed.to_pkcs8v1().unwrap().as_ref()),
                public(ed.public_key().as_der().unwrap()),
            ),
        ]
    }

    #[test]
    fn what_is_signed_verifies_by_its_own_key_and_for_its_own_artifact_alone() {
        let [one, other] = pairs();
        let keys = |pem: &[u8]| KeySet::all_of(vec![Key::from_pem("key", pem).unwrap()]).unwrap();
        for ((private, public), (_, wrong)) in [(&one, &other), (&other, &one)] {
            let manifest = Digest::of(b"manifest");
            let bundle = PrivateKey::from_pem(private).unwrap().sign(manifest).unwrap();
            let evidence = [Evidence::Bundle(bundle.into())];
            assert_eq!(verify(manifest, &evidence, &keys(public)).unwrap().len(), 1);
            assert!(matches!(verify(manifest, &evidence, &keys(wrong)), Err(Error::WrongKey { .. })));
            let another = verify(Digest::of(b"another"), &evidence, &keys(public));
            assert!(matches!(another, Err(Error::AnotherArtifact(_))));
        }
    }

    #[test]
    fn a_key_in_sec_1_signs_as_the_same_key_in_pkcs_8_does() {
        let sec_1 = |pair: &EcdsaKeyPair| {
            let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
            // OpenSSL writes the curve before it.
            let parameters = pem("EC PARAMETERS", &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
            [parameters, pem("EC PRIVATE KEY", der.as_ref())].concat()
        };
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let public = pem("PUBLIC KEY", pair.public_key().as_der().unwrap().as_ref());
        let keys = KeySet::all_of(vec![Key::from_pem("key", &public).unwrap()]).unwrap();
        let bundle = PrivateKey::from_pem(&sec_1(&pair)).unwrap().sign(Digest::of(b"manifest")).unwrap();
        assert!(verify(Digest::of(b"manifest"), &[Evidence::Bundle(bundle.into())], &keys).is_ok());
        let larger = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        assert_eq!(PrivateKey::from_pem(&sec_1(&larger)).err(), Some(PrivateKeyError::Other));
    }

    #[test]
    fn what_is_no_key_to_sign_with_is_told_apart() {
        let [(_, public), _] = pairs();
        let refused = |pem: &[u8]| PrivateKey::from_pem(pem).err().unwrap();
        assert_eq!(refused(b""), PrivateKeyError::Other);
        assert_eq!(refused(&public), PrivateKeyError::Other);
        assert_eq!(refused(&pem("ENCRYPTED SIGSTORE PRIVATE KEY", b"x")), PrivateKeyError::Cosign);
        assert_eq!(refused(&pem("ENCRYPTED PRIVATE KEY", b"x")), PrivateKeyError::Encrypted);
    }
}
