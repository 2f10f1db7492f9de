//! Kubeconfig files: one for each way of authenticating, and any mixture of them.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::credentials::{BASIC_USER, Credentials};

/// The authentication of a kubeconfig, and its possible defects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// A good client certificate, as data in the file.
    Certificate,
    /// Certificate and key as files beside the kubeconfig, named by relative paths; so is the server's CA.
    CertificateFiles,
    /// A good bearer token.
    Token,
    /// The token in a file beside the kubeconfig, with a line break after it.
    TokenFile,
    /// Good basic authentication.
    Basic,
    /// A client certificate whose time is over.
    ExpiredCertificate,
    /// A client certificate whose time has not come.
    NotYetValidCertificate,
    /// A client certificate signed by a CA that the server does not know.
    ForeignCertificate,
    /// A good token; the file names no CA, so the server's certificate has an unknown issuer.
    TokenWithoutCa,
    /// A good token; the file names a CA that did not sign the server's certificate.
    TokenWithWrongCa,
    /// A good token with `insecure-skip-tls-verify`.
    TokenInsecure,
    /// A token that the server does not know.
    WrongToken,
    /// No credential.
    Nobody,
}

impl User {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Certificate,
        Self::CertificateFiles,
        Self::Token,
        Self::TokenFile,
        Self::Basic,
        Self::ExpiredCertificate,
        Self::NotYetValidCertificate,
        Self::ForeignCertificate,
        Self::TokenWithoutCa,
        Self::TokenWithWrongCa,
        Self::TokenInsecure,
        Self::WrongToken,
        Self::Nobody,
    ];

    /// Returns the name in kubeconfig files, for contexts and users alike, such as `expired-certificate`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::CertificateFiles => "certificate-files",
            Self::Token => "token",
            Self::TokenFile => "token-file",
            Self::Basic => "basic",
            Self::ExpiredCertificate => "expired-certificate",
            Self::NotYetValidCertificate => "not-yet-valid-certificate",
            Self::ForeignCertificate => "foreign-certificate",
            Self::TokenWithoutCa => "token-without-ca",
            Self::TokenWithWrongCa => "token-with-wrong-ca",
            Self::TokenInsecure => "token-insecure",
            Self::WrongToken => "wrong-token",
            Self::Nobody => "nobody",
        }
    }
}

/// One context of a kubeconfig with its own cluster and user, all three under one name. The fields may be changed at
/// will before it is written.
#[derive(Debug, Clone)]
pub struct Context {
    /// The name of the context, its cluster and its user.
    pub name: String,
    /// The namespace; without one clients take `default`.
    pub namespace: Option<String>,
    /// The fields of the cluster, such as `server`.
    pub cluster: Map<String, Value>,
    /// The fields of the user, such as `token`.
    pub user: Map<String, Value>,
}

/// A kubeconfig file to be.
#[derive(Debug, Clone, Default)]
pub struct Kubeconfig {
    contexts: Vec<Context>,
    current: Option<String>,
}

impl Kubeconfig {
    /// Returns a kubeconfig without contexts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a context; the first one is the current one unless [`Kubeconfig::current`] says otherwise.
    #[must_use]
    pub fn with(mut self, context: Context) -> Self {
        self.contexts.push(context);
        self
    }

    /// Makes `name` the current context, whether there is one of that name or not; an empty name makes none.
    #[must_use]
    pub fn current(mut self, name: impl Into<String>) -> Self {
        self.current = Some(name.into());
        self
    }

    /// Returns the YAML text.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let first = self.contexts.first().map(|context| context.name.clone());
        let named = |context: &Context, key: &str, value: Value| json!({ "name": context.name, key: value });
        let list = |make: &dyn Fn(&Context) -> Value| self.contexts.iter().map(make).collect::<Vec<Value>>();
        let document = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.current.clone().or(first).unwrap_or_default(),
            "clusters": list(&|context| named(context, "cluster", json!(context.cluster))),
            "contexts": list(&|context| {
                let mut value = json!({ "cluster": context.name, "user": context.name });
                if let Some(namespace) = &context.namespace {
                    value["namespace"] = json!(namespace);
                }
                named(context, "context", value)
            }),
            "users": list(&|context| named(context, "user", json!(context.user))),
        });
        let mut text = String::new();
        write_yaml(&document, 0, &mut text);
        text
    }

    /// Writes the file, readable by its owner only, over what was there.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        write_private(path, &self.to_yaml())
    }
}

/// Returns the context for `user` of the server at `url` whose certificate `authority` signed (PEM; none for
/// plain HTTP). Paths in it are relative to the folder that [`write_files`] filled.
pub(crate) fn context(user: User, url: &str, authority: Option<&str>, credentials: &Credentials) -> Context {
    let mut cluster = Map::from_iter([("server".to_owned(), json!(url))]);
    if let Some(authority) = authority {
        let trust = match user {
            User::TokenWithoutCa => None,
            User::TokenInsecure => Some(("insecure-skip-tls-verify", json!(true))),
            User::CertificateFiles => Some(("certificate-authority", json!("ca.crt"))),
            User::TokenWithWrongCa => {
                Some(("certificate-authority-data", json!(STANDARD.encode(&credentials.wrong_authority))))
            }
            _ => Some(("certificate-authority-data", json!(STANDARD.encode(authority)))),
        };
        cluster.extend(trust.map(|(key, value)| (key.to_owned(), value)));
    }
    let keyed = match user {
        User::Certificate => Some(&credentials.certificate),
        User::ExpiredCertificate => Some(&credentials.expired),
        User::NotYetValidCertificate => Some(&credentials.not_yet_valid),
        User::ForeignCertificate => Some(&credentials.foreign),
        _ => None,
    };
    let fields = match user {
        User::CertificateFiles => json!({ "client-certificate": "client.crt", "client-key": "client.key" }),
        User::Token | User::TokenWithoutCa | User::TokenWithWrongCa | User::TokenInsecure => {
            json!({ "token": credentials.token })
        }
        User::WrongToken => json!({ "token": credentials.wrong_token }),
        User::TokenFile => json!({ "tokenFile": "token" }),
        User::Basic => json!({ "username": BASIC_USER, "password": credentials.password }),
        _ => keyed.map_or_else(
            || json!({}),
            |keyed| {
                json!({
                    "client-certificate-data": STANDARD.encode(&keyed.certificate),
                    "client-key-data": STANDARD.encode(&keyed.key),
                })
            },
        ),
    };
    let user_fields = fields.as_object().cloned().unwrap_or_default();
    Context { name: user.name().to_owned(), namespace: None, cluster, user: user_fields }
}

/// Writes the files that contexts name by path.
pub(crate) fn write_files(folder: &Path, authority: &str, credentials: &Credentials) -> io::Result<()> {
    let files = [
        ("ca.crt", authority),
        ("client.crt", &credentials.certificate.certificate),
        ("client.key", &credentials.certificate.key),
        ("token", &format!("{}\n", credentials.token)),
    ];
    files.into_iter().try_for_each(|(name, text)| write_private(&folder.join(name), text))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}

/// Writes YAML in block style, like kubectl, with every string in quotes: JSON's are valid in YAML too.
fn write_yaml(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (index, (key, field)) in fields.iter().enumerate() {
                // The first field of a list's item follows its dash.
                if index > 0 || !text.ends_with("- ") {
                    text.push_str(&indent);
                }
                text.push_str(key);
                text.push(':');
                write_nested(field, depth + 1, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&indent);
                text.push_str("- ");
                write_yaml(item, depth + 1, text);
            }
        }
        other => {
            text.push_str(&other.to_string());
            text.push('\n');
        }
    }
}

fn write_nested(value: &Value, depth: usize, text: &mut String) {
    let block = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    text.push(if block { '\n' } else { ' ' });
    write_yaml(value, depth, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_is_plain_block_yaml() {
        let context = Context {
            name: "a".to_owned(),
            namespace: Some("shop".to_owned()),
            cluster: Map::from_iter([("server".to_owned(), json!("https://127.0.0.1:1"))]),
            user: Map::new(),
        };
        let expected = "\
apiVersion: \"v1\"
clusters:
  - cluster:
      server: \"https://127.0.0.1:1\"
    name: \"a\"
contexts:
  - context:
      cluster: \"a\"
      namespace: \"shop\"
      user: \"a\"
    name: \"a\"
current-context: \"a\"
kind: \"Config\"
users:
  - name: \"a\"
    user: {}
";
        assert_eq!(Kubeconfig::new().with(context).to_yaml(), expected);
    }
}
