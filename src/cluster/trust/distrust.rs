//! The reasons why a server's certificate is not trusted, derived from the certificates that it presents.
//!
//! The certificates are untrusted: texts from them are shortened and cleaned before they are shown.

use crate::message::Explain;
use std::net::IpAddr;

use rustls::CertificateError;
use rustls::server::ParsedCertificate;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::flaws::{self, words};
use super::shown::{Explanation, NAMELESS, clean, subject};

/// A problem of a server's certificate, as a statement about the server: `its certificate …`.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct CertificateProblem {
    what: String,
    hint: &'static str,
}

/// The authorities that should have signed a server's certificate.
pub(super) enum Asked<'a> {
    /// The authorities of the kubeconfig.
    Kubeconfig(&'a [CertificateDer<'static>]),
    /// This machine's authorities, since the kubeconfig has none.
    System,
    /// Both, for a proxy.
    Proxy,
}

/// The largest number of a certificate's names that are shown. Those of a wildcard host have hundreds.
const NAMES: usize = 8;

const CLOCK: &str = "check this machine's clock";
const PURPOSE: &str = "ask the cluster's administrator to give the API server a certificate for servers";
const RENEW: &str = "ask the cluster's administrator to renew it";
const REMADE: &str = "if the cluster was recreated, get its new kubeconfig";
const SELF_SIGNED: &str =
    "if it is the cluster's own, name it as certificate-authority of this cluster in the kubeconfig";
const SERVER: &str =
    "check server of this cluster in the kubeconfig, or name one of those as its tls-server-name";
const ADDRESSLESS: &str = "ask the cluster's administrator to give it a certificate with this address as an IP in its subjectAltName; kubectl refuses this one too";
const TRUST: &str = "check certificate-authority of this cluster in the kubeconfig";
const TRUST_GIVEN: &str =
    "name the cluster's authority as certificate-authority of this cluster in the kubeconfig";

impl Explain for CertificateProblem {
    fn hint(&self) -> Option<String> {
        Some(self.hint.to_owned())
    }
}

impl CertificateProblem {
    /// Returns why no signature made with the certificate's key is accepted, if the key is the reason.
    pub(super) fn of_key(presented: &CertificateDer<'_>) -> Option<Self> {
        let (what, hint) = flaws::weak_key(&read(presented)?)?;
        Some(Self { what, hint })
    }

    /// Returns why the certificate `presented`, with these `others`, was not accepted for a server of this
    /// name.
    pub(super) fn of(
        error: &CertificateError,
        presented: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
        asked: &Asked<'_>,
    ) -> Self {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let others: Vec<_> = others.iter().filter_map(read).collect();
        let (what, hint) = match read(presented) {
            None => ("its certificate cannot be read".to_owned(), RENEW),
            Some(leaf) => match asked {
                _ if outside_validity(&leaf, now).is_some() => late(&leaf, &[], now),
                // It is an authority's own certificate: no other has to vouch for it, and webpki checks no
                // further.
                Asked::Kubeconfig(authorities) if authorities.contains(presented) => {
                    let named = ParsedCertificate::try_from(presented)
                        .is_ok_and(|parsed| rustls::client::verify_server_name(&parsed, name).is_ok());
                    if named { wrong_purpose(&leaf) } else { misnamed(&leaf, name) }
                }
                _ => {
                    let authorities = match asked {
                        Asked::Kubeconfig(authorities) => authorities.iter().filter_map(read).collect(),
                        Asked::System | Asked::Proxy => Vec::new(),
                    };
                    let flaw = flaws::of(error, &leaf, &others, &authorities);
                    flaw.unwrap_or_else(|| explain(error, &leaf, &others, name, now, asked))
                }
            },
        };
        Self { what, hint }
    }
}

fn read<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(certificate).ok().map(|(_, certificate)| certificate)
}

/// Explains an error about a certificate within its validity period.
fn explain(
    error: &CertificateError,
    leaf: &X509Certificate<'_>,
    others: &[X509Certificate<'_>],
    name: &ServerName<'_>,
    now: i64,
    asked: &Asked<'_>,
) -> Explanation {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => late(leaf, others, now),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            misnamed(leaf, name)
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            wrong_purpose(leaf)
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => unknown(leaf, others, asked, now),
        // webpki's `CaUsedAsEndEntity`, and what platforms other than Linux say.
        CertificateError::Other(_) if leaf.issuer() == leaf.subject() => unknown(leaf, others, asked, now),
        CertificateError::Other(_) if leaf.is_ca() => {
            let owner = subject(leaf.subject());
            (format!("its certificate ({owner}) is that of an authority, not of a server"), PURPOSE)
        }
        error => {
            let owner = subject(leaf.subject());
            (format!("its certificate ({owner}) is not accepted: {}", words(error)), TRUST)
        }
    }
}

/// Formats seconds since 1970 as day and minute, e.g. `2026-11-20 06:00 UTC`.
pub(crate) fn date(seconds: i64) -> String {
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else { return seconds.to_string() };
    format!("{} {:02}:{:02} UTC", time.date(), time.hour(), time.minute())
}

/// Returns the problem with the validity period of a certificate.
fn outside_validity(certificate: &X509Certificate<'_>, now: i64) -> Option<Explanation> {
    let validity = certificate.validity();
    let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if now > until {
        return Some((format!("expired on {}", date(until)), RENEW));
    }
    let what = || format!("is not valid before {}, and this machine's clock says {}", date(from), date(now));
    (now < from).then(|| (what(), CLOCK))
}

/// Finds the certificate on the way to the authority that is outside its validity period.
fn late(leaf: &X509Certificate<'_>, others: &[X509Certificate<'_>], now: i64) -> Explanation {
    let owner = format!("its certificate ({})", subject(leaf.subject()));
    if let Some((what, hint)) = outside_validity(leaf, now) {
        return (format!("{owner} {what}"), hint);
    }
    let found = others.iter().find_map(|other| {
        let (what, hint) = outside_validity(other, now)?;
        Some((format!("the certificate of its issuer ({}) {what}", subject(other.subject())), hint))
    });
    found.unwrap_or_else(|| (format!("{owner} is outside its validity period"), CLOCK))
}

fn wrong_purpose(leaf: &X509Certificate<'_>) -> Explanation {
    if leaf.extended_key_usage().ok().flatten().is_some_and(|usage| usage.value.any) {
        let what = "is for any purpose, which kwasm accepts only of the kubeconfig's own authorities";
        return (format!("its certificate ({}) {what}", subject(leaf.subject())), TRUST_GIVEN);
    }
    (format!("its certificate ({}) is not for servers", subject(leaf.subject())), PURPOSE)
}

/// Describes the names for which it is valid.
fn misnamed(leaf: &X509Certificate<'_>, name: &ServerName<'_>) -> Explanation {
    let alternatives = leaf.subject_alternative_name().ok().flatten();
    let names = alternatives.iter().flat_map(|names| &names.value.general_names);
    let names: Vec<String> = names.filter_map(shown).collect();
    let asked = clean(&name.to_str());
    if names.is_empty() {
        let subject = subject(leaf.subject());
        return (
            format!(
                "its certificate names no host, so it is not for `{asked}`: it has a subject ({subject}) and no subjectAltName"
            ),
            NAMELESS,
        );
    }
    let by_address = matches!(name, ServerName::IpAddress(_));
    let alternatives = alternatives.iter().flat_map(|names| &names.value.general_names);
    if by_address
        && alternatives
            .into_iter()
            .any(|name| matches!(name, GeneralName::DNSName(name) if clean(name) == asked))
    {
        let what =
            format!("its certificate has `{asked}` as a DNS name, and not as the IP address that it is");
        return (what, ADDRESSLESS);
    }
    let others = match names.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(" and {more} others"),
    };
    let names: Vec<String> = names.iter().take(NAMES).map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    (format!("its certificate is not for `{asked}`, but for {names}{others}"), SERVER)
}

/// Returns the name of a host, if it is one.
fn shown(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(clean(name)),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let sixteen = || <[u8; 16]>::try_from(*bytes).map(IpAddr::from);
            four.or_else(|_| sixteen()).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// Describes its issuer, and the authorities that do not include it.
fn unknown(
    leaf: &X509Certificate<'_>,
    others: &[X509Certificate<'_>],
    asked: &Asked<'_>,
    now: i64,
) -> Explanation {
    if leaf.issuer() == leaf.subject() {
        let what = format!("its certificate ({}) is signed by itself", subject(leaf.subject()));
        return match asked {
            Asked::Kubeconfig(_) => {
                (format!("{what}, and is not in the kubeconfig's certificate-authority"), TRUST)
            }
            Asked::System => {
                (format!("{what}, and the kubeconfig names no certificate-authority"), SELF_SIGNED)
            }
            Asked::Proxy => (what, TRUST),
        };
    }
    // The one that should be known is the last that the chain leads to.
    let last = others.iter().fold(leaf, |last, other| {
        let leads_on = other.subject() == last.issuer() && last.issuer() != last.subject();
        if leads_on { other } else { last }
    });
    let issuer = subject(last.issuer());
    let what = format!("its certificate is signed by `{issuer}`");
    match asked {
        Asked::System => (
            format!(
                "{what}, which this machine does not trust, and the kubeconfig names no certificate-authority"
            ),
            TRUST_GIVEN,
        ),
        Asked::Proxy => (
            format!("{what}, which neither this machine nor the kubeconfig's certificate-authority trusts"),
            TRUST,
        ),
        Asked::Kubeconfig(authorities) => {
            let authorities = authorities.iter().filter_map(read);
            let namesakes = authorities.filter(|one| one.subject().as_raw() == last.issuer().as_raw());
            // None, if there is one whose time it is.
            let lapsed: Option<Vec<Explanation>> =
                namesakes.map(|namesake| outside_validity(&namesake, now)).collect();
            match lapsed.as_deref() {
                Some([]) => {
                    (format!("{what}, which is not in the kubeconfig's certificate-authority"), TRUST)
                }
                Some([(lapsed, hint), ..]) => {
                    (format!("the kubeconfig's certificate-authority ({issuer}) {lapsed}"), *hint)
                }
                None => {
                    let key =
                        "but by another key than that of the kubeconfig's certificate-authority of this name";
                    (format!("{what}, {key}"), REMADE)
                }
            }
        }
    }
}
