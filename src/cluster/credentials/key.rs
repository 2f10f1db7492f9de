//! The key of a client certificate, found in PEM like by Go's `tls.X509KeyPair`, and a description if kwasm
//! cannot use it.

use std::sync::Arc;

use rustls::sign::SigningKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::prelude::FromDer;

use super::super::pem::{Section, sections};

/// The reason why a text contains no usable key, and a hint.
pub(super) type Unfit = (String, Option<&'static str>);

/// The shortest key with which aws-lc signs, in bits.
const LEAST: usize = 2048;

const DECRYPT: &str = "openssl pkey -in KEY -out NEW writes it without its passphrase";
const LARGER: &str =
    "ask the cluster's administrator to sign a certificate for a larger key, or for one of ECDSA";
const OTHER: &str =
    "ask the cluster's administrator to sign a certificate for a key of RSA, ECDSA or Ed25519";

/// Reads the first private key of a text, whatever form its label names, since labels are often wrong.
pub(super) fn read(pem: &[u8]) -> Result<Arc<dyn SigningKey>, Unfit> {
    let sections = sections(pem);
    let is_key =
        |section: &&Section| section.label == "PRIVATE KEY" || section.label.ends_with(" PRIVATE KEY");
    let Some(section) = sections.iter().find(is_key) else {
        let what = match &sections[..] {
            [one] if one.label == "CERTIFICATE" => "it holds a certificate, and no private key",
            _ => "it holds no private key",
        };
        return Err((what.to_owned(), None));
    };
    if section.encrypted || section.label.starts_with("ENCRYPTED ") {
        return Err((
            "it is encrypted, and neither kubectl nor kwasm asks for a passphrase".to_owned(),
            Some(DECRYPT),
        ));
    }
    let der = section.content.as_slice();
    let forms = [
        PrivateKeyDer::from(PrivatePkcs1KeyDer::from(der)),
        PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der)),
        PrivateKeyDer::from(PrivateSec1KeyDer::from(der)),
    ];
    let mut keys = forms.iter().map(rustls::crypto::aws_lc_rs::sign::any_supported_type);
    keys.find_map(Result::ok).ok_or_else(|| described(der))
}

/// Describes a key that cannot be used.
fn described(der: &[u8]) -> Unfit {
    let unreadable = || ("it is not a valid private key of PKCS #1, PKCS #8 or SEC 1".to_owned(), None);
    let Some(parts) = parts(der) else { return unreadable() };
    match &parts[..] {
        // PKCS #8: version, algorithm, key.
        [_, algorithm, key, ..] if algorithm.tag() == Tag::Sequence && key.tag() == Tag::OctetString => {
            let algorithm = Any::from_der(algorithm.data).ok().map(|(_, oid)| oid.data);
            match algorithm {
                Some(RSA) => self::parts(key.data).as_deref().and_then(rsa).unwrap_or_else(unreadable),
                Some(EC) => curve(),
                _ => ("its algorithm is not RSA, ECDSA or Ed25519".to_owned(), Some(OTHER)),
            }
        }
        // SEC 1: version, key, maybe curve and public part.
        [_, key, ..] if key.tag() == Tag::OctetString => curve(),
        parts => rsa(parts).unwrap_or_else(unreadable),
    }
}

fn curve() -> Unfit {
    ("it is an ECDSA key that is malformed, or not on P-256, P-384 or P-521".to_owned(), Some(OTHER))
}

/// Returns the defect of an RSA key in PKCS #1: version, modulus, and more.
fn rsa(parts: &[Any<'_>]) -> Option<Unfit> {
    let [version, modulus, _, _, _, _, _, _, _, ..] = parts else { return None };
    if parts.iter().take(9).any(|part| part.tag() != Tag::Integer) {
        return None;
    }
    let digits = modulus.data.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &modulus.data[at..]);
    let bits = digits.len() * 8 - digits.first().map_or(0, |byte| byte.leading_zeros() as usize);
    Some(if version.data != [0] {
        ("it is an RSA key of more than two primes, which kwasm cannot use".to_owned(), Some(OTHER))
    } else if bits < LEAST {
        (format!("it is an RSA key of {bits} bits, and kwasm requires at least {LEAST}"), Some(LARGER))
    } else {
        ("it is a malformed RSA key".to_owned(), None)
    })
}

/// `rsaEncryption` and `id-ecPublicKey` in DER.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// Returns the elements of a sequence in DER.
fn parts(der: &[u8]) -> Option<Vec<Any<'_>>> {
    let (_, sequence) = Any::from_der(der).ok().filter(|(_, any)| any.tag() == Tag::Sequence)?;
    let (mut rest, mut parts) = (sequence.data, Vec::new());
    while !rest.is_empty() {
        let (behind, part) = Any::from_der(rest).ok()?;
        parts.push(part);
        rest = behind;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    }

    fn refused(pem: &str) -> String {
        read(pem.as_bytes()).err().unwrap().0
    }

    /// Returns a key in each form: PKCS #1, PKCS #8 and SEC 1.
    fn forms() -> Vec<Vec<u8>> {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let rsa = rsa.as_der().unwrap().as_ref().to_vec();
        let pkcs1 = parts(&rsa).unwrap()[2].data.to_vec();
        let ecdsa = rcgen::KeyPair::generate().unwrap().serialize_der();
        let sec1 = parts(&ecdsa).unwrap()[2].data.to_vec();
        vec![rsa, pkcs1, ecdsa, sec1]
    }

    fn integer(bytes: &[u8]) -> Vec<u8> {
        tagged(2, bytes)
    }

    fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }

    /// Returns an RSA key in PKCS #1 with a modulus of this length, of arbitrary numbers.
    fn rsa_of(version: u8, bits: usize) -> Vec<u8> {
        let mut modulus = vec![0];
        modulus.extend(vec![0xff; bits / 8]);
        let mut content = [integer(&[version]), integer(&modulus)].concat();
        for _ in 0..7 {
            content.extend(integer(&[3]));
        }
        tagged(0x30, &content)
    }

    fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
        let algorithm = tagged(0x30, &tagged(6, algorithm));
        tagged(0x30, &[integer(&[0]), algorithm, tagged(4, key)].concat())
    }

    #[test]
    fn a_key_is_read_in_whatever_form_it_is_under_whatever_label() {
        for der in forms() {
            for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ANY PRIVATE KEY"] {
                assert!(read(pem(label, &der).as_bytes()).is_ok(), "{label}");
            }
            for label in ["PUBLIC KEY", "PRIVATE KEY BLOCK", "NOPRIVATE KEY"] {
                assert_eq!(refused(&pem(label, &der)), "it holds no private key", "{label}");
            }
        }
    }

    #[test]
    fn the_first_key_counts_whatever_stands_around_it() {
        let [_, _, ecdsa, sec1] = <[Vec<u8>; 4]>::try_from(forms()).unwrap();
        let key = pem("EC PRIVATE KEY", &sec1).replace('\n', "\r\n");
        let parameters = pem("EC PARAMETERS", &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
        let text = format!("Bag Attributes\n  localKeyID: 1\n{parameters}{}{key}", pem("CERTIFICATE", b"x"));
        assert!(read(text.as_bytes()).is_ok());
        let broken = "-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----\n";
        assert!(read(format!("{broken}{key}").as_bytes()).is_ok(), "Go passes over what is no base64");
        assert!(read(format!("{}{key}", pem("PRIVATE KEY", b"x")).as_bytes()).is_err());
        assert!(read(pem("PRIVATE KEY", &ecdsa).as_bytes()).is_ok());
    }

    #[test]
    fn a_key_that_cannot_be_used_is_described() {
        for der in [rsa_of(0, 1024), pkcs8(RSA, &rsa_of(0, 1024))] {
            let said = "it is an RSA key of 1024 bits, and kwasm requires at least 2048";
            assert_eq!(refused(&pem("PRIVATE KEY", &der)), said);
        }
        assert!(refused(&pem("RSA PRIVATE KEY", &rsa_of(0, 1536))).contains("of 1536 bits"));
        assert!(refused(&pem("RSA PRIVATE KEY", &rsa_of(1, 2048))).contains("more than two primes"));
        assert_eq!(refused(&pem("RSA PRIVATE KEY", &rsa_of(0, 2048))), "it is a malformed RSA key");
        assert!(refused(&pem("PRIVATE KEY", &pkcs8(EC, b"x"))).contains("not on P-256"));
        assert!(
            refused(&pem("PRIVATE KEY", &pkcs8(&[0x2b, 0x65, 0x71], b"x"))).contains("its algorithm is not")
        );
        assert!(refused(&pem("PRIVATE KEY", b"x")).contains("not a valid private key of PKCS #1"));
        assert!(refused(&pem("CERTIFICATE", b"x")).contains("a certificate"));
    }

    #[test]
    fn an_encrypted_key_is_called_one_in_both_of_its_forms() {
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\neA==\n\
            -----END RSA PRIVATE KEY-----\n";
        for text in [old, &pem("ENCRYPTED PRIVATE KEY", b"x")] {
            let (what, hint) = read(text.as_bytes()).err().unwrap();
            assert!(what.starts_with("it is encrypted"), "{what}");
            assert!(hint.is_some_and(|hint| hint.starts_with("openssl pkey")));
        }
    }
}
