//! The identity of a request's user.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use serde_json::{Value, json};
use x509_parser::parse_x509_certificate;

use crate::credentials::{BASIC_USER, Credentials, TOKEN_GROUPS, TOKEN_USER};
use crate::status::Refused;

/// A user as authentication found it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) user: String,
    uid: Option<String>,
    groups: Vec<String>,
    extra: BTreeMap<String, Vec<String>>,
}

impl Identity {
    fn new(user: &str, groups: impl IntoIterator<Item = String>) -> Self {
        let groups = groups.into_iter().chain(["system:authenticated".to_owned()]).collect();
        Self { user: user.to_owned(), groups, ..Self::default() }
    }

    /// Returns the `userInfo` of a `SelfSubjectReview`.
    pub(crate) fn user_info(&self) -> Value {
        let mut info = json!({ "username": self.user, "groups": self.groups });
        if let Some(uid) = &self.uid {
            info["uid"] = json!(uid);
        }
        if !self.extra.is_empty() {
            info["extra"] = json!(self.extra);
        }
        info
    }
}

/// Returns the user of a client certificate chain (leaf first), if `clients` accept it now.
pub(crate) fn of_certificates(
    chain: &[CertificateDer<'static>],
    clients: &dyn ClientCertVerifier,
) -> Option<Identity> {
    let (leaf, intermediates) = chain.split_first()?;
    clients.verify_client_cert(leaf, intermediates, UnixTime::now()).ok()?;
    let (_, parsed) = parse_x509_certificate(leaf).ok()?;
    let subject = parsed.subject();
    let user = subject.iter_common_name().find_map(|name| name.as_str().ok())?;
    let groups = subject.iter_organization().filter_map(|group| group.as_str().ok());
    Some(Identity::new(user, groups.map(ToOwned::to_owned)))
}

/// Returns the subject of a client certificate chain (leaf first), without verifying it.
pub(crate) fn subject(chain: &[CertificateDer<'static>]) -> Option<String> {
    let (_, parsed) = parse_x509_certificate(chain.first()?).ok()?;
    Some(parsed.subject().to_string())
}

/// Returns the user of one request: that of the certificate, or else of the `Authorization` header; then the
/// impersonated user (everyone may impersonate).
pub(crate) fn of_request(
    certificate: Option<&Identity>,
    headers: &HeaderMap,
    credentials: &Credentials,
) -> Result<Identity, Refused> {
    let found = certificate.cloned().or_else(|| of_authorization(headers, credentials));
    impersonated(found.ok_or_else(Refused::unauthorized)?, headers)
}

fn of_authorization(headers: &HeaderMap, credentials: &Credentials) -> Option<Identity> {
    let (scheme, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") && value == credentials.token {
        return Some(Identity::new(TOKEN_USER, TOKEN_GROUPS.iter().map(|group| (*group).to_owned())));
    }
    let basic = STANDARD.encode(format!("{BASIC_USER}:{}", credentials.password));
    (scheme.eq_ignore_ascii_case("basic") && value == basic).then(|| Identity::new(BASIC_USER, []))
}

fn impersonated(identity: Identity, headers: &HeaderMap) -> Result<Identity, Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let all = |name: &str| -> Vec<String> {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.map(ToOwned::to_owned).collect()
    };
    let Some(user) = text("impersonate-user") else {
        if headers.keys().any(|name| name.as_str().starts_with("impersonate-")) {
            return Err(Refused::new(500, "requested impersonation of a group, uid or extra without a user"));
        }
        return Ok(identity);
    };
    let mut other = Identity::new(user, all("impersonate-group"));
    other.uid = text("impersonate-uid").map(ToOwned::to_owned);
    for name in headers.keys() {
        if let Some(key) = name.as_str().strip_prefix("impersonate-extra-") {
            other.extra.insert(key.to_owned(), all(name.as_str()));
        }
    }
    Ok(other)
}
