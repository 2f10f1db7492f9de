//! The defects of certificates that rustls and webpki refuse whoever signed them, in words, and with
//! kubectl's own behaviour.

use rustls::{CertificateError, OtherError};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{X509Certificate, X509Version};
use x509_parser::public_key::PublicKey;

use super::shown::{Explanation, NAMELESS, subject};

/// The shortest RSA key with which aws-lc verifies, in bits.
const LEAST: usize = 2048;

const LARGER: &str =
    "ask the cluster's administrator for a larger key, or one of ECDSA, though kubectl accepts this one";
const SIGN_ANEW: &str =
    "ask the cluster's administrator to sign it again with SHA-256; kubectl refuses this one too";
const UNDERSTOOD: &str = "ask the cluster's administrator to issue it without that; kubectl refuses it too";

/// Returns why a certificate, or one between it and its authority, is always refused, or `None` if the error
/// is about something else.
pub(super) fn of(
    error: &CertificateError,
    leaf: &X509Certificate<'_>,
    others: &[X509Certificate<'_>],
    authorities: &[X509Certificate<'_>],
) -> Option<Explanation> {
    // One of another kind may be reported in place of each of these.
    let may_be = matches!(
        error,
        CertificateError::BadSignature | CertificateError::UnknownIssuer | CertificateError::Other(_)
    );
    if !may_be && !is_about_algorithms(error) {
        return None;
    }
    let mut chain = std::iter::once(leaf).chain(others);
    let signs = |one: &&X509Certificate<'_>| {
        std::iter::once(leaf).chain(others).any(|below| below.issuer().as_raw() == one.subject().as_raw())
    };
    old(leaf)
        .or_else(|| chain.clone().find_map(broken_algorithm))
        .or_else(|| chain.clone().find_map(not_understood))
        .or_else(|| others.iter().chain(authorities).filter(signs).find_map(weak_key))
        .or_else(|| chain.find_map(|one| is_about_algorithms(error).then(|| unknown_algorithm(one))?))
}

#[expect(deprecated, reason = "verifiers other than ours may still report it")]
fn is_about_algorithms(error: &CertificateError) -> bool {
    matches!(
        error,
        CertificateError::UnsupportedSignatureAlgorithm
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
    )
}

/// Detects a certificate of X.509 v1 or v2, which has no names of hosts.
fn old(leaf: &X509Certificate<'_>) -> Option<Explanation> {
    let version = match leaf.version() {
        X509Version::V1 => 1,
        X509Version::V2 => 2,
        _ => return None,
    };
    let owner = subject(leaf.subject());
    Some((
        format!("its certificate ({owner}) is one of X.509 version {version}, which names no host"),
        NAMELESS,
    ))
}

/// Detects an RSA key that is too short.
pub(super) fn weak_key(certificate: &X509Certificate<'_>) -> Option<Explanation> {
    let bits = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => key.key_size(),
        _ => return None,
    };
    let owner = subject(certificate.subject());
    let what = format!(
        "the certificate of {owner} has an RSA key of {bits} bits, and kwasm requires at least {LEAST}"
    );
    (bits < LEAST).then_some((what, LARGER))
}

/// Detects a signature with a forgeable digest.
fn broken_algorithm(certificate: &X509Certificate<'_>) -> Option<Explanation> {
    let digest = match certificate.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => "SHA-1",
        "1.2.840.113549.1.1.4" => "MD5",
        "1.2.840.113549.1.1.2" => "MD2",
        _ => return None,
    };
    let owner = subject(certificate.subject());
    // That of an authority is not looked at: who has it in the kubeconfig believes it.
    let is_own = certificate.issuer() == certificate.subject();
    (!is_own).then(|| {
        (format!("the certificate of {owner} is signed with {digest}, which can be forged"), SIGN_ANEW)
    })
}

fn unknown_algorithm(certificate: &X509Certificate<'_>) -> Option<Explanation> {
    let known = ["1.2.840.113549.1.1.", "1.2.840.10045.4.3.", "1.3.101.112"];
    let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
    let owner = subject(certificate.subject());
    (!known.iter().any(|known| algorithm.starts_with(known))).then(|| {
        let what = format!(
            "the certificate of {owner} is signed with an algorithm that kwasm does not support, {algorithm}"
        );
        (what, SIGN_ANEW)
    })
}

/// Detects a critical extension that is not understood.
fn not_understood(certificate: &X509Certificate<'_>) -> Option<Explanation> {
    let unknown = certificate.extensions().iter().find(|extension| {
        extension.critical
            && matches!(
                extension.parsed_extension(),
                ParsedExtension::UnsupportedExtension { .. } | ParsedExtension::Unparsed
            )
    })?;
    let (owner, extension) = (subject(certificate.subject()), unknown.oid.to_id_string());
    let what = format!(
        "the certificate of {owner} has a critical extension that kwasm does not support, {extension}"
    );
    Some((what, UNDERSTOOD))
}

/// Returns the name of an error as words if there is no better description: `UnsupportedNameType` is
/// `unsupported name type`.
pub(crate) fn words(error: &CertificateError) -> String {
    let name = match error {
        CertificateError::Other(OtherError(inner)) => format!("{inner:?}"),
        error => format!("{error:?}"),
    };
    let name: String = name.chars().take_while(char::is_ascii_alphanumeric).collect();
    let mut words = String::with_capacity(name.len() + 8);
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, Issuer, KeyPair};
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls_pki_types::pem::PemObject as _;
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

    use super::super::distrust::CertificateProblem;
    use super::super::verifier::Verifier;
    use super::*;
    use crate::message::Explain;

    const CA: &str = include_str!("../../../tests/fixtures/certificates/ca.pem");
    const SHA1: &str = include_str!("../../../tests/fixtures/certificates/sha1.pem");
    const RSA1024: &str = include_str!("../../../tests/fixtures/certificates/rsa1024.pem");
    const CA1024: &str = include_str!("../../../tests/fixtures/certificates/ca1024.pem");
    const BELOW1024: &str = include_str!("../../../tests/fixtures/certificates/below1024.pem");

    fn der(pem: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }

    /// Returns the message about a server of this name to a client that trusts these authorities; none if it
    /// is trusted.
    fn said_of(authorities: &str, leaf: &CertificateDer<'_>, name: &str) -> String {
        let name = ServerName::try_from(name).unwrap();
        let verifier = Verifier::given(authorities.as_bytes()).unwrap();
        match verifier.verify_server_cert(leaf, &[], &name, &[], UnixTime::now()) {
            Ok(_) => String::new(),
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(distrust)))) => {
                let distrust = distrust.downcast_ref::<CertificateProblem>().unwrap();
                format!("{distrust}; {}", distrust.hint().unwrap())
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Returns an authority, and a server's certificate signed by it with the parameters of one for 127.0.0.1
    /// after `change`.
    fn signed(change: impl FnOnce(&mut CertificateParams)) -> (String, CertificateDer<'static>) {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "the cluster");
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap().pem();
        let mut leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        leaf.distinguished_name.push(rcgen::DnType::CommonName, "api");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut leaf);
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &Issuer::new(params, key)).unwrap();
        (authority, leaf.der().clone())
    }

    #[test]
    fn a_signature_that_can_be_forged_is_reported_with_its_digest() {
        insta::assert_snapshot!(said_of(CA, &der(SHA1), "127.0.0.1"), @"the certificate of CN=api is signed with SHA-1, which can be forged; ask the cluster's administrator to sign it again with SHA-256; kubectl refuses this one too");
    }

    #[test]
    fn a_key_of_rsa_that_is_too_short_is_reported_with_its_length() {
        // Its own is found out when it signs.
        assert_eq!(said_of(CA, &der(RSA1024), "127.0.0.1"), "");
        let distrust = CertificateProblem::of_key(&der(RSA1024)).unwrap();
        insta::assert_snapshot!(distrust, @"the certificate of CN=api has an RSA key of 1024 bits, and kwasm requires at least 2048");
        assert!(distrust.hint().unwrap().contains("kubectl accepts this one"));
        assert!(
            CertificateProblem::of_key(&der(CA)).is_none()
                && CertificateProblem::of_key(&der(BELOW1024)).is_none()
        );
        insta::assert_snapshot!(said_of(CA1024, &der(BELOW1024), "127.0.0.1"), @"the certificate of CN=the old cluster has an RSA key of 1024 bits, and kwasm requires at least 2048; ask the cluster's administrator for a larger key, or one of ECDSA, though kubectl accepts this one");
        assert!(
            said_of(CA, &der(BELOW1024), "127.0.0.1")
                .contains("signed by `CN=the old cluster`, which is not in")
        );
    }

    #[test]
    fn an_extension_that_has_to_be_understood_is_named_and_any_other_is_passed_over() {
        let with = |critical: bool| {
            signed(|params| {
                let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                extension.set_criticality(critical);
                params.custom_extensions = vec![extension];
            })
        };
        let (authority, leaf) = with(false);
        assert_eq!(said_of(&authority, &leaf, "127.0.0.1"), "");
        let (authority, leaf) = with(true);
        insta::assert_snapshot!(said_of(&authority, &leaf, "127.0.0.1"), @"the certificate of CN=api has a critical extension that kwasm does not support, 1.2.3.4; ask the cluster's administrator to issue it without that; kubectl refuses it too");
    }

    #[test]
    fn a_certificate_for_any_purpose_is_one_for_servers_and_one_for_another_is_not() {
        let of = |purposes: &[ExtendedKeyUsagePurpose]| {
            let (authority, leaf) = signed(|params| params.extended_key_usages = purposes.to_vec());
            said_of(&authority, &leaf, "127.0.0.1")
        };
        let (any, client) = (ExtendedKeyUsagePurpose::Any, ExtendedKeyUsagePurpose::ClientAuth);
        assert_eq!(of(std::slice::from_ref(&any)), "");
        assert_eq!(of(&[client.clone(), any.clone()]), "");
        assert!(of(&[client]).contains("is not for servers"));
        // The name and the authority still count.
        let (authority, leaf) = signed(|params| params.extended_key_usages = vec![any.clone()]);
        assert!(said_of(&authority, &leaf, "127.0.0.2").contains("is not for `127.0.0.2`"));
        assert!(said_of(CA, &leaf, "127.0.0.1").contains("by another key"));
    }

    #[test]
    fn an_address_is_one_however_it_is_written_and_is_no_name() {
        let (authority, leaf) = signed(|_| {});
        assert_eq!(said_of(&authority, &leaf, "::ffff:127.0.0.1"), "");
        assert!(said_of(&authority, &leaf, "::1").contains("is not for `::1`, but for `127.0.0.1`"));
        let (authority, leaf) = signed(|params| {
            params.subject_alt_names = vec![rcgen::SanType::DnsName("127.0.0.1".try_into().unwrap())];
        });
        insta::assert_snapshot!(said_of(&authority, &leaf, "127.0.0.1"), @"its certificate has `127.0.0.1` as a DNS name, and not as the IP address that it is; ask the cluster's administrator to give it a certificate with this address as an IP in its subjectAltName; kubectl refuses this one too");
    }

    #[test]
    fn an_error_is_shown_as_words_and_never_as_rust() {
        let other = CertificateError::Other(OtherError(Arc::new(webpki::Error::UnsupportedNameType)));
        assert_eq!(words(&other), "unsupported name type");
        assert_eq!(words(&CertificateError::UnhandledCriticalExtension), "unhandled critical extension");
        assert_eq!(words(&CertificateError::Revoked), "revoked");
    }
}
