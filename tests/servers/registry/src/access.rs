//! The configuration for a registry, in the terms of its clients.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The address of a registry and what a client needs there.
#[derive(Clone, Debug)]
pub struct Access {
    pub(crate) host: String,
    pub(crate) authority: Option<String>,
    pub(crate) login: Option<Login>,
}

/// By what a user is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A token that is exchanged for others, as `docker login` keeps it for Azure and others.
    Identity(String),
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
}

impl Access {
    /// Returns host and port, e.g. `localhost:40123`, with which references begin.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the certificate of the authority that signed the registry's, in PEM; none where it speaks
    /// plain HTTP.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Returns the user who has access; `None` if no login is required.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Writes the authority's certificate into `folder` as `ca.crt`, the name that skopeo expects
    /// (`--cert-dir`), and returns its path.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write_authority(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = folder.join("ca.crt");
        fs::write(&path, self.authority.as_deref().unwrap_or_default())?;
        Ok(path)
    }

    /// Writes docker's `config.json` into `folder`, to which `$DOCKER_CONFIG` is then set, and returns its
    /// path. It is valid as `auth.json` of podman and skopeo too.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write_docker_config(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = folder.join("config.json");
        fs::write(&path, self.docker_config().to_string())?;
        Ok(path)
    }

    /// Returns the content of docker's `config.json`.
    #[must_use]
    pub fn docker_config(&self) -> Value {
        // docker gives this name to users of identity tokens.
        const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
        let entry = match &self.login {
            None => return json!({}),
            Some(Login::Identity(token)) => {
                json!({"auth": STANDARD.encode(format!("{NOBODY}:")), "identitytoken": token})
            }
            Some(Login::Password { user, password }) => {
                json!({"auth": STANDARD.encode(format!("{user}:{password}"))})
            }
        };
        json!({"auths": {&self.host: entry}})
    }

    /// Returns the text of a `wasm-pkg/config.toml` by which packages `NAMESPACE:NAME` are the repositories
    /// `PREFIXNAMESPACE/NAME` here. Credentials come from docker's configuration.
    #[must_use]
    pub fn wasm_pkg_config(&self, namespace: &str, prefix: &str) -> String {
        let host = &self.host;
        let (protocol, roots) = match &self.authority {
            Some(pem) => ("https", format!("[{{ encoding = \"pem\", data = '''\n{pem}''' }}]")),
            None => ("http", "[]".to_owned()),
        };
        format!(
            "[namespace_registries.{namespace}]\n\
             registry = \"{host}\"\n\
             metadata = {{ preferredProtocol = \"oci\", oci = {{ registry = \"{host}\", namespacePrefix = \"{prefix}\" }} }}\n\n\
             [registry.\"{host}\".oci]\n\
             protocol = \"{protocol}\"\n\
             extra_root_certificates = {roots}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(login: Login) -> Access {
        Access { host: "localhost:5000".to_owned(), authority: None, login: Some(login) }
    }

    #[test]
    fn a_password_with_a_colon_is_one_password() {
        let config = access(Login::Password { user: "jane".into(), password: "a:b".into() }).docker_config();
        let auth = config["auths"]["localhost:5000"]["auth"].as_str().unwrap();
        assert_eq!(STANDARD.decode(auth).unwrap(), b"jane:a:b");
    }

    #[test]
    fn an_identity_token_has_a_name_that_is_nobody() {
        let config = access(Login::Identity("refresh".into())).docker_config();
        let entry = &config["auths"]["localhost:5000"];
        assert_eq!(entry["identitytoken"], "refresh");
        assert!(STANDARD.decode(entry["auth"].as_str().unwrap()).unwrap().ends_with(b":"));
    }
}
