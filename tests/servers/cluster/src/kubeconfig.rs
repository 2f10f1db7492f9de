//! The cluster's users, and the kubeconfig of each. Every way to carry a credential occurs.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificates::Pair;

/// A user of the cluster. All but the admin are in the group `dev`, which has the cluster role `admin`
/// everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// In `system:masters`: may do everything. A client certificate in files.
    Admin,
    /// A client certificate in files, X.509 v1.
    Alice,
    /// A token.
    Bob,
    /// A client certificate, X.509 v3, inline, as is the authority's.
    Carol,
}

impl User {
    /// Every user.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Alice, Self::Bob, Self::Carol];

    /// Returns the name by which the API server knows the user.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Alice => "alice",
            Self::Bob => "bob",
            Self::Carol => "carol",
        }
    }

    /// Returns the user's group, besides `system:authenticated`.
    #[must_use]
    pub fn group(self) -> &'static str {
        match self {
            Self::Admin => "system:masters",
            Self::Alice | Self::Bob | Self::Carol => "dev",
        }
    }

    /// Returns the user of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|user| user.name() == name)
    }
}

/// The form of a kubeconfig's credential.
pub(crate) enum Credential<'a> {
    /// Paths of certificate and key.
    Files(&'a Path, &'a Path),
    /// The certificate and key themselves.
    Inline(&'a Pair),
    /// A bearer token.
    Token(&'a str),
}

/// The certificates that are trusted to vouch for the server.
pub(crate) enum Trust<'a> {
    /// The path of the authority's certificate.
    File(&'a Path),
    /// The certificate in PEM.
    Inline(&'a str),
}

/// Returns the text of a kubeconfig whose one context, `test`, is `user` at `server`.
pub(crate) fn text(server: &str, trust: &Trust, user: &str, credential: &Credential) -> String {
    let authority = match trust {
        Trust::File(path) => format!("certificate-authority: {}", quoted(path)),
        Trust::Inline(pem) => format!("certificate-authority-data: {}", STANDARD.encode(pem)),
    };
    let credential = match credential {
        Credential::Files(certificate, key) => {
            format!("client-certificate: {}\n    client-key: {}", quoted(certificate), quoted(key))
        }
        Credential::Inline(pair) => format!(
            "client-certificate-data: {}\n    client-key-data: {}",
            STANDARD.encode(&pair.certificate),
            STANDARD.encode(&pair.key)
        ),
        Credential::Token(token) => format!("token: {token}"),
    };
    format!(
        "\
apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: {server}
    {authority}
users:
- name: {user}
  user:
    {credential}
contexts:
- name: test
  context:
    cluster: test
    user: {user}
current-context: test
"
    )
}

/// Returns a path as a YAML string: Windows paths hold backslashes and colons.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy()).to_string()
}
