//! The cluster's authority, and the certificates that it signs.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, SigningKey,
};

use crate::der;
use crate::error::Error;
use crate::node;

const HOUR: Duration = Duration::from_hours(1);
/// A standing cluster may live for days.
const LIFETIME: Duration = Duration::from_hours(30 * 24);

/// A certificate and its key, both in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// A self-signed authority that lives as long as its cluster. Every key is ECDSA P-256.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut params = params("test-ca", None)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// Returns the authority's own certificate in PEM.
    pub(crate) fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// Returns a server certificate for loopback, for a real node, and for the names that pods use.
    pub(crate) fn server(&self) -> Result<Pair, Error> {
        let names = ["localhost", "kubernetes.default.svc", "127.0.0.1", "::1", "10.0.0.1", node::ADDRESS];
        let mut params = params("kube-apiserver", None)?;
        params.subject_alt_names = CertificateParams::new(names.map(str::to_owned))?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params, &KeyPair::generate()?)
    }

    /// Returns a client certificate, X.509 v3. Kubernetes takes the common name as the user and organisations
    /// as groups.
    pub(crate) fn client(&self, user: &str, group: Option<&str>) -> Result<Pair, Error> {
        self.sign(&client_params(user, group)?, &KeyPair::generate()?)
    }

    /// Returns a client certificate, X.509 v1: openssl's default, hence common, and refused by strict TLS
    /// stacks.
    pub(crate) fn client_v1(&self, user: &str, group: Option<&str>) -> Result<Pair, Error> {
        let key = KeyPair::generate()?;
        let v3 = client_params(user, group)?.signed_by(&key, &self.issuer)?;
        let v1 = der::without_extensions(v3.der(), |tbs| self.issuer.key().sign(tbs))
            .ok_or(Error::Certificate(rcgen::Error::CouldNotParseCertificate))??;
        let line_ending = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        let certificate = pem::encode_config(&pem::Pem::new("CERTIFICATE", v1), line_ending);
        Ok(Pair { certificate, key: key.serialize_pem() })
    }

    fn sign(&self, params: &CertificateParams, key: &KeyPair) -> Result<Pair, Error> {
        Ok(Pair { certificate: params.signed_by(key, &self.issuer)?.pem(), key: key.serialize_pem() })
    }
}

fn client_params(user: &str, group: Option<&str>) -> Result<CertificateParams, Error> {
    let mut params = params(user, group)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn params(name: &str, organization: Option<&str>) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new([])?;
    let mut subject = DistinguishedName::new();
    if let Some(organization) = organization {
        subject.push(DnType::OrganizationName, organization);
    }
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    let now = SystemTime::now();
    params.not_before = (now - HOUR).into();
    params.not_after = (now + LIFETIME).into();
    Ok(params)
}

#[cfg(test)]
mod tests {
    use x509_parser::pem::parse_x509_pem;
    use x509_parser::x509::X509Version;

    use super::*;

    /// Returns version, subject, issuer and number of extensions.
    fn facts(pem: &str) -> (X509Version, String, String, usize) {
        let (_, pem) = parse_x509_pem(pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        let (subject, issuer) = (certificate.subject().to_string(), certificate.issuer().to_string());
        (certificate.version(), subject, issuer, certificate.extensions().len())
    }

    #[test]
    fn version_1_differs_from_version_3_by_its_extensions_alone() {
        let authority = Authority::new().unwrap();
        let (version, subject, issuer, extensions) =
            facts(&authority.client_v1("alice", Some("dev")).unwrap().certificate);
        assert_eq!((version, extensions), (X509Version::V1, 0));

        let v3 = facts(&authority.client("alice", Some("dev")).unwrap().certificate);
        assert_eq!((v3.0, v3.1.as_str(), v3.2), (X509Version::V3, subject.as_str(), issuer));
        assert!(v3.3 > 0);
        assert_eq!(subject, "O=dev, CN=alice");
    }
}
