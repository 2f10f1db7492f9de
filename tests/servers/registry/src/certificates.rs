//! An authority of a registry's own, and the certificate that it signs.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// By these names loopback is reached.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// A server's certificate and the one that its clients are to trust, all in PEM.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// The defect of a certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Validity {
    Expired,
    Good,
    Misnamed,
}

impl Certificates {
    pub(crate) fn new(validity: Validity) -> Result<Self, rcgen::Error> {
        let (params, key) = (authority()?, KeyPair::generate()?);
        let authority = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        let names = if matches!(validity, Validity::Misnamed) { ["other.example"; 2] } else { NAMES };
        let mut params = CertificateParams::new(names.map(str::to_owned))?;
        params.distinguished_name.push(DnType::CommonName, names[0]);
        if matches!(validity, Validity::Expired) {
            params.not_after = rcgen::date_time_ymd(2000, 1, 1);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?.pem();
        Ok(Self { authority, certificate, key: key.serialize_pem() })
    }
}

fn authority() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "kwasm-registry");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}
