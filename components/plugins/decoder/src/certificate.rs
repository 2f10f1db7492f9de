//! An X.509 certificate (RFC 5280), explained.

use crate::key;
use crate::lines::{Lines, Validity};
use kube_guest::Timestamp;
use plugin_kit::Style;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::prelude::{ExtendedKeyUsage, FromDer, GeneralName, X509Certificate, X509Error};

/// What programs want to know of a certificate.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    subject: String,
    issuer: String,
    serial: String,
    not_before: String,
    not_after: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
}

/// An explained certificate.
pub(crate) struct Explained {
    pub(crate) text: String,
    pub(crate) validity: Validity,
    pub(crate) summary: Summary,
}

/// Explains a certificate in lines of `label value`, or returns the reason why it is not one.
pub(crate) fn explain(der: &[u8], now: Timestamp, style: Style) -> Result<Explained, String> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|error| match error {
        x509_parser::nom::Err::Incomplete(_) => "it ends in the middle".to_owned(),
        x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error.to_string(),
    })?;
    let validity = certificate.validity();
    let before = Timestamp::from_seconds(validity.not_before.timestamp());
    let after = Timestamp::from_seconds(validity.not_after.timestamp());
    let validity = Validity::judge(Some(before), after, now);
    let names = names(&certificate);
    let summary = Summary {
        subject: name_or_none(&certificate.subject().to_string()),
        issuer: name_or_none(&certificate.issuer().to_string()),
        serial: certificate.raw_serial_as_string().replace(':', ""),
        not_before: before.to_string(),
        not_after: after.to_string(),
        names: names.clone().ok().flatten().unwrap_or_default(),
    };
    let mut lines = Lines::new(style);
    lines.add("Subject", std::slice::from_ref(&summary.subject));
    lines.add("Issuer", &[issuer(&certificate)]);
    lines.add("Serial", std::slice::from_ref(&summary.serial));
    lines.add("Not before", std::slice::from_ref(&summary.not_before));
    lines.until("Not after", after, &validity);
    listed(&mut lines, "Names", names);
    extensions(&mut lines, &certificate);
    lines.add("Public key", &[key::describe(certificate.public_key())]);
    lines.add("Signature", &[key::name_of(&certificate.signature_algorithm.algorithm)]);
    // A trusted certificate of OpenSSL's has more behind it; the fingerprint is that of the certificate.
    let fingerprint = Sha256::digest(&der[..der.len() - rest.len()]);
    lines.add("SHA-256 fingerprint", &[colons(&fingerprint[..16]) + ":", colons(&fingerprint[16..])]);
    Ok(Explained { text: lines.finish(), validity, summary })
}

fn names(certificate: &X509Certificate<'_>) -> Result<Option<Vec<String>>, String> {
    known(certificate.subject_alternative_name()).map(|names| {
        names.map(|names| names.value.general_names.iter().map(general_name).collect::<Vec<_>>())
    })
}

fn extensions(lines: &mut Lines, certificate: &X509Certificate<'_>) {
    let usage = known(certificate.key_usage()).map(|usage| usage.map(|usage| vec![usage.value.to_string()]));
    listed(lines, "Key usage", usage);
    let extended = known(certificate.extended_key_usage())
        .map(|usage| usage.map(|usage| vec![extended_usage(usage.value).join(", ")]));
    listed(lines, "Extended key usage", extended);
    let ca = known(certificate.basic_constraints()).map(|constraints| {
        Some(vec![match constraints.map(|constraints| constraints.value) {
            Some(value) if value.ca => match value.path_len_constraint {
                Some(length) => format!("yes, at most {length} more below it"),
                None => "yes".to_owned(),
            },
            _ => "no".to_owned(),
        }])
    });
    listed(lines, "CA", ca);
}

/// Adds a line for an extension. An absent one has no line, and one that cannot be read has its error.
fn listed(lines: &mut Lines, label: &str, values: Result<Option<Vec<String>>, String>) {
    match values {
        Ok(None) => {}
        Ok(Some(values)) => lines.add(label, &values),
        Err(why) => lines.add(label, &[format!("cannot be read: {why}")]),
    }
}

fn known<T>(extension: Result<T, X509Error>) -> Result<T, String> {
    extension.map_err(|error| error.to_string())
}

fn issuer(certificate: &X509Certificate<'_>) -> String {
    let issuer = name_or_none(&certificate.issuer().to_string());
    if certificate.issuer().as_raw() == certificate.subject().as_raw() {
        issuer + " (itself)"
    } else {
        issuer
    }
}

fn name_or_none(name: &str) -> String {
    if name.is_empty() { "<none>".to_owned() } else { name.to_owned() }
}

fn general_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("DNS:{name}"),
        GeneralName::RFC822Name(name) => format!("email:{name}"),
        GeneralName::URI(name) => format!("URI:{name}"),
        GeneralName::DirectoryName(name) => format!("directory:{name}"),
        GeneralName::RegisteredID(oid) => format!("OID:{oid}"),
        GeneralName::OtherName(oid, value) => format!("other name {oid}: {}", colons(value)),
        GeneralName::IPAddress(bytes) => {
            if let Ok(bytes) = <[u8; 4]>::try_from(*bytes) {
                format!("IP:{}", Ipv4Addr::from(bytes))
            } else if let Ok(bytes) = <[u8; 16]>::try_from(*bytes) {
                format!("IP:{}", Ipv6Addr::from(bytes))
            } else {
                format!("IP, but of {} bytes: {}", bytes.len(), colons(bytes))
            }
        }
        GeneralName::X400Address(any) => format!("X.400 address: {}", colons(any.data)),
        GeneralName::EDIPartyName(any) => format!("EDI party name: {}", colons(any.data)),
        GeneralName::Invalid(_, bytes) => format!("invalid: {}", colons(bytes)),
    }
}

fn extended_usage(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let named = [
        (usage.any, "any"),
        (usage.server_auth, "TLS server"),
        (usage.client_auth, "TLS client"),
        (usage.code_signing, "code signing"),
        (usage.email_protection, "email protection"),
        (usage.time_stamping, "time stamping"),
        (usage.ocsp_signing, "OCSP signing"),
    ];
    let named = named.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
    named.chain(usage.other.iter().map(ToString::to_string)).collect()
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pem::{self, Piece};

    fn explained(pem: &str, now: &str) -> String {
        let der = match &pem::split(pem)[0] {
            Piece::Block(block) => block.der().unwrap(),
            Piece::Text(text) => panic!("{text}"),
        };
        explain(&der, Timestamp::parse(now).unwrap(), Style::PLAIN).unwrap().text
    }

    // Each expectation is what `openssl x509 -text -fingerprint -sha256` says of the same file.
    #[test]
    fn a_server_certificate_is_explained() {
        let text = explained(include_str!("../fixtures/server.pem"), "2026-06-01T00:00:00Z");
        assert_eq!(text, include_str!("../fixtures/server.txt"));
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn an_authority_says_that_it_is_one() {
        let text = explained(include_str!("../fixtures/authority.pem"), "2026-06-01T00:00:00Z");
        assert_eq!(text, include_str!("../fixtures/authority.txt"));
    }

    #[test]
    fn a_certificate_without_names_is_explained_too() {
        let text = explained(include_str!("../fixtures/client.pem"), "2026-06-01T00:00:00Z");
        assert_eq!(text, include_str!("../fixtures/client.txt"));
    }

    #[test]
    fn garbage_is_no_certificate() {
        assert!(explain(b"\x30\x03abc", Timestamp::now(), Style::PLAIN).is_err());
        assert!(explain(b"", Timestamp::now(), Style::PLAIN).is_err());
    }
}
