//! A certificate for a webhook's server, by an authority made for it alone.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

/// Where the certificate of a webhook's server comes from.
#[derive(Clone, Debug)]
pub enum Certificate {
    /// It is among the manifests.
    Own(Issued),
    /// cert-manager issues it.
    CertManager,
}

/// A certificate and its authority, in PEM.
#[derive(Clone)]
pub struct Issued {
    pub(super) authority: String,
    pub(super) chain: String,
    pub(super) key: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a certificate with its key")
    }
}

/// The days until it has to be made again.
pub(super) const DAYS: i64 = 365;

/// Issues a certificate for a service of this name and these DNS names, by a new authority whose key is kept nowhere: to renew it, deploy again.
///
/// # Errors
/// If this machine has no random numbers.
pub fn issue(service: &str, names: Vec<String>) -> Result<Issued, rcgen::Error> {
    let now = OffsetDateTime::now_utc();
    let valid = |mut params: CertificateParams, name: &str| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        // Clocks differ.
        (params.not_before, params.not_after) = (now - Duration::HOUR, now + Duration::days(DAYS));
        params
    };
    let mut authority = valid(CertificateParams::new(Vec::new())?, &format!("{service} webhook"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let mut server = valid(CertificateParams::new(names)?, service);
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = server.signed_by(&key, &issuer)?;
    Ok(Issued { authority: authority_certificate.pem(), chain: certificate.pem(), key: key.serialize_pem() })
}
