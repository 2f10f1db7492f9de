//! An X.509 certificate (RFC 5280), explained.

use crate::key;
use crate::style::{Colour, Style};
use crate::table::wrap;
use kube_guest::{Timestamp, for_terminal_line};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::prelude::{ExtendedKeyUsage, FromDer, GeneralName, X509Certificate, X509Error};

/// Columns before a value.
const INDENT: usize = 23;

const DAY: i64 = 86_400;

/// Fewer days than this are worth a warning.
const SOON: i64 = 30;

/// Explains a certificate in lines of `label value`, or returns the reason why it is not one.
pub(crate) fn explain(der: &[u8], now: Timestamp, style: Style) -> Result<String, String> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|error| match error {
        x509_parser::nom::Err::Incomplete(_) => "it ends in the middle".to_owned(),
        x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error.to_string(),
    })?;
    let mut lines = Lines { text: String::new(), style };
    lines.add("Subject", &[name_or_none(&certificate.subject().to_string())]);
    lines.add("Issuer", &[issuer(&certificate)]);
    lines.add("Serial", &[certificate.raw_serial_as_string().replace(':', "")]);
    lines.validity(&certificate, now);
    lines.extensions(&certificate);
    lines.add("Public key", &[key::describe(certificate.public_key())]);
    lines.add("Signature", &[key::name_of(&certificate.signature_algorithm.algorithm)]);
    // A trusted certificate of OpenSSL's has more behind it; the fingerprint is that of the certificate.
    let fingerprint = Sha256::digest(&der[..der.len() - rest.len()]);
    lines.add("SHA-256 fingerprint", &[colons(&fingerprint[..16]) + ":", colons(&fingerprint[16..])]);
    Ok(lines.text)
}

struct Lines {
    text: String,
    style: Style,
}

impl Lines {
    fn add(&mut self, label: &str, values: &[String]) {
        let room = self.style.width.saturating_sub(INDENT).max(16);
        let values = values.iter().map(|value| for_terminal_line(value));
        let lines = values.flat_map(|value| wrap(&value, room));
        for (index, line) in lines.enumerate() {
            let label = if index == 0 { format!("  {label}:") } else { String::new() };
            self.text.push_str(format!("{label:<INDENT$}{line}").trim_end());
            self.text.push('\n');
        }
    }

    fn validity(&mut self, certificate: &X509Certificate<'_>, now: Timestamp) {
        let validity = certificate.validity();
        let after = Timestamp::from_seconds(validity.not_after.timestamp());
        let before = Timestamp::from_seconds(validity.not_before.timestamp());
        let (colour, word) = judge(before, after, now);
        let word = self.style.paint(colour, &word);
        self.add("Not before", &[before.to_string()]);
        // Not through `add`, which would escape the colour.
        let _ = writeln!(self.text, "{:<INDENT$}{after}  {word}", "  Not after:");
    }

    fn extensions(&mut self, certificate: &X509Certificate<'_>) {
        let names = known(certificate.subject_alternative_name()).map(|names| {
            names.map(|names| names.value.general_names.iter().map(general_name).collect::<Vec<_>>())
        });
        self.listed("Names", names);
        let usage =
            known(certificate.key_usage()).map(|usage| usage.map(|usage| vec![usage.value.to_string()]));
        self.listed("Key usage", usage);
        let extended = known(certificate.extended_key_usage())
            .map(|usage| usage.map(|usage| vec![extended_usage(usage.value).join(", ")]));
        self.listed("Extended key usage", extended);
        let ca = known(certificate.basic_constraints()).map(|constraints| {
            Some(vec![match constraints.map(|constraints| constraints.value) {
                Some(value) if value.ca => match value.path_len_constraint {
                    Some(length) => format!("yes, at most {length} more below it"),
                    None => "yes".to_owned(),
                },
                _ => "no".to_owned(),
            }])
        });
        self.listed("CA", ca);
    }

    /// Adds a line for an extension. An absent one has no line, and one that cannot be read has its error.
    fn listed(&mut self, label: &str, values: Result<Option<Vec<String>>, String>) {
        match values {
            Ok(None) => {}
            Ok(Some(values)) => self.add(label, &values),
            Err(why) => self.add(label, &[format!("cannot be read: {why}")]),
        }
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

/// Returns a word for the validity, in whole days.
fn judge(before: Timestamp, after: Timestamp, now: Timestamp) -> (Colour, String) {
    let days = |from: Timestamp, to: Timestamp| match (to.seconds() - from.seconds()) / DAY {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    if now > after {
        (Colour::Bad, format!("expired {} ago", days(after, now)))
    } else if now < before {
        (Colour::Bad, format!("not valid for another {}", days(now, before)))
    } else if after.seconds() - now.seconds() < SOON * DAY {
        (Colour::Soon, format!("valid for {}", days(now, after)))
    } else {
        (Colour::Good, format!("valid for {}", days(now, after)))
    }
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

    const PIPE: Style = Style { colours: false, terminal: false, width: 80 };

    fn explained(pem: &str, now: &str) -> String {
        let der = match &pem::split(pem)[0] {
            Piece::Block(block) => block.der().unwrap(),
            Piece::Text(text) => panic!("{text}"),
        };
        explain(&der, Timestamp::parse(now).unwrap(), PIPE).unwrap()
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
    fn the_validity_is_a_word() {
        let at = Timestamp::from_seconds;
        let word = |now: i64| judge(at(10 * DAY), at(100 * DAY), at(now * DAY)).1;
        assert_eq!(word(5), "not valid for another 5 days");
        assert_eq!(word(10), "valid for 90 days");
        assert_eq!(word(99), "valid for 1 day");
        assert_eq!(word(107), "expired 7 days ago");
    }

    #[test]
    fn garbage_is_no_certificate() {
        assert!(explain(b"\x30\x03abc", Timestamp::now(), PIPE).is_err());
        assert!(explain(b"", Timestamp::now(), PIPE).is_err());
    }
}
