//! Every credential of one server: good ones, and the bad ones that tests need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::object;
use crate::server::StartError;
use crate::tls::{Authority, KeyedCertificate, Validity};

/// The user of the client certificates.
pub const CERTIFICATE_USER: &str = "jane";
/// Her groups.
pub const CERTIFICATE_GROUPS: [&str; 2] = ["developers", "shop-owners"];
/// The user of the bearer token.
pub const TOKEN_USER: &str = "system:serviceaccount:shop:robot";
/// The groups of the service account.
pub const TOKEN_GROUPS: &[&str] = &["system:serviceaccounts", "system:serviceaccounts:shop"];
/// The user of basic authentication.
pub const BASIC_USER: &str = "operator";

/// The credentials, created for each server.
pub(crate) struct Credentials {
    pub(crate) certificate: KeyedCertificate,
    pub(crate) expired: KeyedCertificate,
    pub(crate) not_yet_valid: KeyedCertificate,
    pub(crate) foreign: KeyedCertificate,
    pub(crate) client_authority: String,
    /// The authority that signs for other users.
    clients: Authority,
    /// Of an authority that signed nothing here.
    pub(crate) wrong_authority: String,
    pub(crate) token: String,
    pub(crate) wrong_token: String,
    pub(crate) password: String,
}

impl Credentials {
    pub(crate) fn new() -> Result<Self, StartError> {
        // Two authorities of one name look to a client like one with a broken signature.
        let id = object::new_uid()?;
        let authority = Authority::root(&format!("kwasm-apiserver clients {id}"))?;
        let stranger = Authority::root(&format!("kwasm-apiserver stranger {id}"))?;
        let client = |authority: &Authority, validity| {
            authority.client(CERTIFICATE_USER, CERTIFICATE_GROUPS, validity)
        };
        Ok(Self {
            certificate: client(&authority, Validity::Now)?,
            expired: client(&authority, Validity::Past)?,
            not_yet_valid: client(&authority, Validity::Future)?,
            foreign: client(&stranger, Validity::Now)?,
            client_authority: authority.pem().to_owned(),
            clients: authority,
            wrong_authority: stranger.pem().to_owned(),
            token: format!("kwasm-token-{}", object::new_uid()?),
            wrong_token: format!("kwasm-wrong-token-{}", object::new_uid()?),
            password: format!("kwasm-password-{}", object::new_uid()?),
        })
    }

    /// Returns a valid client certificate of another user.
    pub(crate) fn certificate_of(&self, user: &str) -> Result<KeyedCertificate, rcgen::Error> {
        self.clients.client(user, CERTIFICATE_GROUPS, Validity::Now)
    }

    /// Returns each text whose appearance anywhere outside would be a leak: the lines of each key's PEM, the
    /// base64 text that a kubeconfig has of it, the tokens, the password and its basic authentication.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets = vec![
            self.token.clone(),
            self.wrong_token.clone(),
            self.password.clone(),
            STANDARD.encode(format!("{BASIC_USER}:{}", self.password)),
        ];
        for keyed in [&self.certificate, &self.expired, &self.not_yet_valid, &self.foreign] {
            secrets.push(STANDARD.encode(&keyed.key));
            let lines = keyed.key.lines().filter(|line| !line.is_empty() && !line.starts_with("-----"));
            // The first line of a PKCS #8 key says only which curve it is on, so the others count more; but at the
            // width of PEM it has key bits too.
            secrets.extend(lines.map(ToOwned::to_owned));
        }
        secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_long_enough_to_be_searched_for() {
        let secrets = Credentials::new().unwrap().secrets();
        assert!(secrets.iter().all(|secret| secret.len() >= 16), "{secrets:?}");
        assert!(secrets.iter().filter(|secret| secret.len() == 64).count() >= 4, "{secrets:?}");
    }
}
