//! The service account that gets a role.

use std::fmt;
use std::str::FromStr;

use crate::message::Explain;
use crate::policy::format::LABEL;

/// A service account of a cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServiceAccount {
    /// The namespace.
    pub namespace: String,
    /// The name, a DNS subdomain (RFC 1123).
    pub name: String,
}

/// The reason why a text does not name a service account.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a service account")]
pub struct AccountError(String);

impl Explain for AccountError {
    fn hint(&self) -> Option<String> {
        Some(
            "name one as NAMESPACE:NAME, in lower-case letters, digits, dashes and, in its name, dots"
                .to_owned(),
        )
    }
}

impl FromStr for ServiceAccount {
    type Err = AccountError;

    fn from_str(text: &str) -> Result<Self, AccountError> {
        let parts = text.split_once(':').filter(|(namespace, name)| {
            LABEL.fits(namespace) && name.len() <= 253 && name.split('.').all(|part| LABEL.fits(part))
        });
        let (namespace, name) = parts.ok_or_else(|| AccountError(text.to_owned()))?;
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

/// Formats it as it is read: `NAMESPACE:NAME`.
impl fmt::Display for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_namespace_and_a_name() {
        let account: ServiceAccount = "jobs:decoder.v1".parse().unwrap();
        assert_eq!(account, ServiceAccount { namespace: "jobs".to_owned(), name: "decoder.v1".to_owned() });
        assert_eq!(account.to_string(), "jobs:decoder.v1");
        for text in ["", "jobs", ":x", "jobs:", "Jobs:x", "jobs:x_y", "jobs:.x", "a.b:x", "a:b:c", "a:b\n"] {
            assert!(text.parse::<ServiceAccount>().is_err(), "{text}");
        }
        assert!(format!("jobs:{}", "x.".repeat(127)).parse::<ServiceAccount>().is_err());
    }
}
