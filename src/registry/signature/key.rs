//! Public keys, and sets of them. The key alone decides; nothing from a registry chooses it.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA256_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::reference::Digest;

/// A signer's public key: ECDSA on P-256, P-384 or P-521, RSA (PKCS #1 v1.5), or Ed25519.
#[derive(Clone)]
pub struct Key {
    name: String,
    fingerprint: Digest,
    is_ed25519: bool,
    /// The same key for each algorithm with which cosign signs.
    public: Vec<ParsedPublicKey>,
}

/// Returns the algorithms with which cosign signs. For P-384 and P-521 it used SHA-256 before it used the
/// digest that belongs to the curve, and some of its commands still do.
fn algorithms(algorithm: &str, curve: Option<&str>) -> Option<&'static [&'static dyn VerificationAlgorithm]> {
    Some(match (algorithm, curve) {
        (EC, Some(P256)) => &[&ECDSA_P256_SHA256_ASN1],
        (EC, Some(P384)) => &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1],
        (EC, Some(P521)) => &[&ECDSA_P521_SHA512_ASN1, &ECDSA_P521_SHA256_ASN1],
        (RSA, _) => &[&RSA_PKCS1_2048_8192_SHA256],
        (ED, _) => &[&ED25519],
        _ => return None,
    })
}

/// The reason why a text is not a supported key.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// A key of another algorithm, or not a key.
    #[error(
        "it holds {0}, and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported"
    )]
    Other(String),
    /// An invalid public key.
    #[error("it holds a malformed public key")]
    Broken,
    /// Not PEM.
    #[error("it has no line -----BEGIN PUBLIC KEY-----")]
    NoPem,
    /// More than one key, where one is expected.
    #[error("it holds {0} PEM sections, and exactly one public key is required")]
    Several(usize),
}

impl Key {
    /// Reads a key from PEM. `name` is its name in messages, e.g. its file's.
    ///
    /// # Errors
    /// If it contains anything but one supported key.
    pub fn from_pem(name: &str, pem: &[u8]) -> Result<Self, KeyError> {
        let labels: Vec<&[u8]> = pem.split(|byte| matches!(byte, b'\n' | b'\r')).filter_map(label).collect();
        match labels[..] {
            [] => return Err(KeyError::NoPem),
            [b"PUBLIC KEY"] => {}
            [other] => return Err(KeyError::Other(section(other))),
            _ => return Err(KeyError::Several(labels.len())),
        }
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| KeyError::Broken)?;
        let (rest, info) = SubjectPublicKeyInfo::from_der(&der).map_err(|_| KeyError::Broken)?;
        if !rest.is_empty() {
            return Err(KeyError::Broken);
        }
        let curve = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        let curve = curve.map(|oid| oid.to_id_string());
        let algorithm = info.algorithm.algorithm.to_id_string();
        let algorithms = algorithms(&algorithm, curve.as_deref())
            .ok_or_else(|| KeyError::Other(kind(&algorithm, curve.as_deref())))?;
        if let Ok(PublicKey::RSA(key)) = info.parsed()
            && key.key_size() < LEAST
        {
            return Err(KeyError::Other(format!("an RSA key of {} bits, less than {LEAST}", key.key_size())));
        }
        let parsed = algorithms.iter().map(|algorithm| ParsedPublicKey::new(*algorithm, &*der));
        let public: Vec<_> = parsed.collect::<Result<_, _>>().map_err(|_| KeyError::Broken)?;
        // Serialised again, so that one key in two spellings has one fingerprint.
        let first = public.first().ok_or(KeyError::Broken)?;
        let fingerprint = Digest::of(first.as_der().map_err(|_| KeyError::Broken)?.as_ref());
        Ok(Self { name: name.to_owned(), fingerprint, is_ed25519: algorithm == ED, public })
    }

    /// Returns the name of the key in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the SHA-256 of its `SubjectPublicKeyInfo` in DER, as printed by `openssl pkey -pubin -outform
    /// DER | sha256sum`.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    pub(super) fn is_ed25519(&self) -> bool {
        self.is_ed25519
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.iter().any(|public| public.verify_sig(message, signature).is_ok())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.fingerprint)
    }
}

/// Keys, and how many of them have to have signed. At least one, and none twice.
#[derive(Clone, Debug)]
pub struct KeySet {
    quorum: Quorum,
    keys: Vec<Key>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Quorum {
    All,
    Any,
}

/// The reason why keys do not form a set.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeySetError {
    /// The set is empty.
    #[error("there is no key in it")]
    Empty,
    /// A key is included twice, so that one signature would count as two.
    #[error("`{0}` and `{1}` are the same key")]
    Twice(String, String),
}

impl KeySet {
    /// Returns a set of which one key has to have signed.
    ///
    /// # Errors
    /// If it is empty, or a key is included twice.
    pub fn any_of(keys: Vec<Key>) -> Result<Self, KeySetError> {
        Self::new(Quorum::Any, keys)
    }

    /// Returns a set of which all keys have to have signed.
    ///
    /// # Errors
    /// If it is empty, or a key is included twice.
    pub fn all_of(keys: Vec<Key>) -> Result<Self, KeySetError> {
        Self::new(Quorum::All, keys)
    }

    fn new(quorum: Quorum, keys: Vec<Key>) -> Result<Self, KeySetError> {
        for (index, key) in keys.iter().enumerate() {
            if let Some(same) = keys[..index].iter().find(|same| same.fingerprint == key.fingerprint) {
                return Err(KeySetError::Twice(same.name.clone(), key.name.clone()));
            }
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { quorum, keys }) }
    }

    /// Returns the keys.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub(super) fn quorum(&self) -> Quorum {
        self.quorum
    }
}

const EC: &str = "1.2.840.10045.2.1";
const ED: &str = "1.3.101.112";
const RSA: &str = "1.2.840.113549.1.1.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

/// The shortest supported RSA key, in bits.
const LEAST: usize = 2048;

/// Describes a key that is not supported.
fn kind(algorithm: &str, curve: Option<&str>) -> String {
    match (algorithm, curve) {
        ("1.3.101.113", _) => "an Ed448 key".to_owned(),
        (EC, Some("1.3.132.0.10")) => "an ECDSA secp256k1 key".to_owned(),
        (EC, _) => "an ECDSA key on another curve".to_owned(),
        (algorithm, _) => format!("a key of the algorithm {algorithm}"),
    }
}

/// Returns the label of a line that begins a PEM section.
fn label(line: &[u8]) -> Option<&[u8]> {
    line.trim_ascii_end().strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")
}

/// Describes a PEM section that is not a public key.
fn section(label: &[u8]) -> String {
    match label {
        b"CERTIFICATE" => "a certificate".to_owned(),
        b"RSA PUBLIC KEY" => {
            "an RSA key in PKCS #1 (openssl rsa -RSAPublicKey_in -pubout writes the other form)".to_owned()
        }
        _ if label.ends_with(b"PRIVATE KEY") => "a private key, which only its owner should have".to_owned(),
        _ => format!("a PEM section `{}`", super::error::shown(&String::from_utf8_lossy(label))),
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
        ECDSA_P521_SHA256_ASN1_SIGNING, ECDSA_P521_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    };
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    const PEM: &str = include_str!("../../../tests/fixtures/signatures/ecdsa.pub");

    /// A key and a signature of `message` with SHA-256, made by OpenSSL.
    const P384: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE4jAxrO43anh+mzndVCzBmhYF5k02EDSG\n\
9oONu55b6bXoitNwxa6GgGIHFkHiRv7+POPV8/t48KPNLrNPQYUxT0/ACTv/p4mD\n\
V8X/yx0/xZYymw+kvfmQcc2/RUGsVtc5\n\
-----END PUBLIC KEY-----\n";
    const P384_SHA256: &str = "MGYCMQC4YRHXyds+oaMp2v1HONM5YDhZvdaXcRfqZPhHiRpR/eVpBWnkDgpV2yI5Z6RXiOQCMQDa17cmv1icJT/uncM1YY8CYTPaSw6YNAwJgpra/E5T26cvbTvT5Vz0G/W9dnMpzJM=";

    /// A key made by OpenSSL.
    const RSA_1024: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC3sJHgpYWBNFCajLC+jmHczYPh\n\
cJU+QlSRHFCGM4S9gmPLz5kCtZ4fbc1acLPsT9g8/YCLnz0KhHt+5u1ud/MMRwRn\n\
Ad9BXKFJWvkFndiYOks131mJcFWHa30oZOF+81mM5Z+c2/V9XCAUoGN9laIbNGCt\n\
QP0ZTyyFb0k9eqUzFwIDAQAB\n\
-----END PUBLIC KEY-----\n";

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
    }

    #[track_caller]
    fn refused(pem: &str) -> String {
        Key::from_pem("key.pub", pem.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_key_is_told_by_its_name_and_fingerprint_whatever_surrounds_it() {
        let key = Key::from_pem("team.pub", format!("a comment\r\n{PEM}\r\n").as_bytes()).unwrap();
        insta::assert_debug_snapshot!(key, @"team.pub (sha256:8fb49136b645d1d342366b86f02fbaf93f10c46977637aaf008194428f4d25d3)");
    }

    #[test]
    fn one_key_in_two_spellings_has_one_fingerprint() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let long = pair.public_key().as_der().unwrap();
        let long = long.as_ref();
        // The same point by its one coordinate and the sign of the other: half as long (SEC 1 §2.3.3).
        let (head, point) = long.split_at(long.len() - 65);
        let short =
            [&head[2..head.len() - 3], &[0x03, 0x22, 0x00, 2 + (point[64] & 1)], &point[1..33]].concat();
        let short = [&[0x30, u8::try_from(short.len()).unwrap()], &short[..]].concat();
        let [long, short] = [long, &short].map(|der| Key::from_pem("key", pem("PUBLIC KEY", der).as_bytes()));
        assert_eq!(long.unwrap().fingerprint(), short.unwrap().fingerprint());
    }

    #[test]
    fn what_is_no_served_key_is_refused_by_name() {
        let koblitz = EcdsaKeyPair::generate(&ECDSA_P256K1_SHA256_ASN1_SIGNING).unwrap();
        let ed448 = [&[0x30, 0x43, 0x30, 0x05, 6, 3, 0x2b, 0x65, 0x71, 3, 0x3a, 0][..], &[7; 57]].concat();
        let der = Key::from_pem("key", PEM.as_bytes()).unwrap().public[0].as_der().unwrap();
        let mut off_curve = der.as_ref().to_vec();
        *off_curve.last_mut().unwrap() ^= 1;
        let told = [
            refused(""),
            refused("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"),
            refused(RSA_1024),
            refused(&pem("PUBLIC KEY", koblitz.public_key().as_der().unwrap().as_ref())),
            refused(&pem("PUBLIC KEY", &ed448)),
            refused(&pem("PUBLIC KEY", &off_curve)),
            refused(&pem("PUBLIC KEY", &[der.as_ref(), b"more"].concat())),
            refused(&pem("PUBLIC KEY", b"")),
            refused(&pem("CERTIFICATE", b"x")),
            refused(&pem("ENCRYPTED SIGSTORE PRIVATE KEY", b"x")),
            refused(&pem("EC PRIVATE KEY", b"x")),
            refused(&pem("RSA PUBLIC KEY", b"x")),
            refused(&pem("PGP PUBLIC KEY BLOCK", b"x")),
            refused("-----BEGIN PUBLIC KEY-----\nAAAA\n"),
            refused(&format!("{PEM}{PEM}")),
        ];
        insta::assert_snapshot!(told.join("\n"), @r"
        it has no line -----BEGIN PUBLIC KEY-----
        it has no line -----BEGIN PUBLIC KEY-----
        it holds an RSA key of 1024 bits, less than 2048, and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported
        it holds an ECDSA secp256k1 key, and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported
        it holds an Ed448 key, and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported
        it holds a malformed public key
        it holds a malformed public key
        it holds a malformed public key
        it holds a certificate, and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported
        it holds a private key, which only its owner should have, and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported
        it holds a private key, which only its owner should have, and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported
        it holds an RSA key in PKCS #1 (openssl rsa -RSAPublicKey_in -pubout writes the other form), and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported
        it holds a PEM section `PGP PUBLIC KEY BLOCK`, and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported
        it holds a malformed public key
        it holds 2 PEM sections, and exactly one public key is required
        ");
    }

    fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> (Key, Vec<u8>) {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let der = pair.public_key().as_der().unwrap();
        let key = Key::from_pem("key", pem("PUBLIC KEY", der.as_ref()).as_bytes()).unwrap();
        (key, pair.sign(&SystemRandom::new(), b"message").unwrap().as_ref().to_vec())
    }

    #[test]
    fn a_key_verifies_by_the_digests_that_cosign_takes_for_it_and_by_no_other() {
        for (algorithm, is_taken) in [
            (&ECDSA_P256_SHA256_ASN1_SIGNING, true),
            (&ECDSA_P384_SHA384_ASN1_SIGNING, true),
            (&ECDSA_P521_SHA512_ASN1_SIGNING, true),
            (&ECDSA_P521_SHA256_ASN1_SIGNING, true),
            (&ECDSA_P521_SHA384_ASN1_SIGNING, false),
        ] {
            let (key, signature) = ecdsa(algorithm);
            assert_eq!(key.verifies(b"message", &signature), is_taken, "{algorithm:?}");
            assert!(!key.verifies(b"massage", &signature), "{algorithm:?}");
            let (other, _) = ecdsa(algorithm);
            assert!(!other.verifies(b"message", &signature), "{algorithm:?}");
        }
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = rsa.public_key().as_der().unwrap();
        let key = Key::from_pem("key", pem("PUBLIC KEY", der.as_ref()).as_bytes()).unwrap();
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"message", &mut signature).unwrap();
        assert!(key.verifies(b"message", &signature) && !key.verifies(b"massage", &signature));
        rsa.sign(&RSA_PSS_SHA256, &SystemRandom::new(), b"message", &mut signature).unwrap();
        assert!(!key.verifies(b"message", &signature));
    }

    #[test]
    fn a_signature_by_openssl_of_p384_and_sha256_verifies_as_cosign_made_them_once() {
        let key = Key::from_pem("key", P384.as_bytes()).unwrap();
        let signature = BASE64_STANDARD.decode(P384_SHA256).unwrap();
        assert!(key.verifies(b"message", &signature) && !key.verifies(b"massage", &signature));
    }
}
