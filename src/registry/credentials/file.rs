//! Docker's or podman's file of logins, read like docker's command line does ([`configfile`][1]).
//!
//! [1]: https://github.com/docker/cli/blob/v29.1.0/cli/config/configfile/file.go

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::super::Error;
use super::{Credentials, is_none};
use crate::reference::{DOCKER_HUB, RegistryHost};

/// A file and its logins.
pub(super) struct File {
    path: PathBuf,
    logins: Logins,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logins {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

/// The login for one registry.
#[derive(Deserialize)]
struct Entry {
    auth: Option<SecretString>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<SecretString>,
    password: Option<SecretString>,
    #[serde(rename = "registrytoken")]
    registry_token: Option<SecretString>,
    username: Option<String>,
}

impl File {
    /// Reads a file. Returns `None` if it does not exist or is empty.
    pub(super) fn read(path: PathBuf) -> Result<Option<Self>, Error> {
        let text = match fs::read(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if is_none(&error) => return Ok(None),
            Err(source) => return Err(Error::Unreadable { path, source }),
        };
        if text.is_empty() {
            return Ok(None);
        }
        match serde_json::from_slice(&text) {
            Ok(logins) => Ok(Some(Self { path, logins })),
            Err(_) => Err(Error::Credentials {
                path,
                server: "any registry".to_owned(),
                what: "it is not JSON in docker's or podman's form".to_owned(),
                helper: None,
            }),
        }
    }

    /// Looks up the credentials for the registry of a repository.
    pub(super) fn find(&self, host: &str, repository: &str) -> Result<Option<Credentials>, Error> {
        for server in self.servers(host, repository) {
            let found = if let Some(helper) = self.helper(&server) {
                self.ask(helper, &server)?
            } else if let Some(found) = self.entry(&server, host).map_or(Ok(None), |entry| {
                entry.credentials().map_err(|what| self.broken(&server, what, None))
            })? {
                Some(found)
            } else if let Some(store) = self.logins.creds_store.as_deref().filter(|store| !store.is_empty()) {
                self.ask(store, &server)?
            } else {
                None
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Returns the names under which a file may list a repository. podman's files also name repositories, and
    /// the most specific name comes first.
    fn servers(&self, host: &str, repository: &str) -> Vec<String> {
        let mut servers = Vec::new();
        let mut prefix = format!("{host}/{repository}");
        while prefix.len() > host.len() {
            if self.entry(&prefix, "").is_some() || self.helper(&prefix).is_some() {
                servers.push(prefix.clone());
            }
            prefix.truncate(prefix.rfind('/').unwrap_or(0));
        }
        if host == DOCKER_HUB {
            servers.push("https://index.docker.io/v1/".to_owned());
        }
        servers.extend([host.to_owned(), format!("https://{host}")]);
        // References go without the usual port; who logged in may have written it.
        servers.extend(Some(format!("{host}:443")).filter(|server| self.helper(server).is_some()));
        servers
    }

    fn helper(&self, server: &str) -> Option<&str> {
        let helper = self.logins.cred_helpers.as_ref()?.get(server)?;
        Some(helper.as_str()).filter(|helper| !helper.is_empty())
    }

    /// Returns the entry of exactly this name, or else one with another name of `host`.
    fn entry(&self, server: &str, host: &str) -> Option<&Entry> {
        let auths = self.logins.auths.as_ref()?;
        let exact = auths.get(server);
        exact.or_else(|| auths.iter().find(|(key, _)| names(key, host)).map(|(_, entry)| entry))?.as_ref()
    }

    fn ask(&self, helper: &str, server: &str) -> Result<Option<Credentials>, Error> {
        let program = format!("docker-credential-{helper}");
        let broken = |what: String| Err(self.broken(server, what, Some(program.as_str().into())));
        let request = serde_json::json!({"credsStore": helper}).to_string();
        match docker_credential::get_credential_from_reader(request.as_bytes(), server) {
            Ok(DockerCredential::UsernamePassword(user, password)) => {
                let is_empty = user.is_empty() && password.is_empty();
                Ok((!is_empty).then(|| Credentials::Basic { user, password: password.into() }))
            }
            Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Credentials::Identity(token.into()))),
            // The words of every helper that docker publishes, for one that was asked and has nothing.
            Err(CredentialRetrievalError::HelperFailure { stdout, stderr, .. })
                if format!("{stdout}{stderr}").contains("credentials not found") =>
            {
                Ok(None)
            }
            Err(CredentialRetrievalError::HelperFailure { helper, stderr, .. }) => {
                let reason = stderr.lines().next().unwrap_or("it gives no reason").to_owned();
                broken(format!("the helper {helper} failed: {reason}"))
            }
            Err(CredentialRetrievalError::HelperCommunicationError) => {
                broken(format!("its credential helper {program} cannot be run"))
            }
            Err(CredentialRetrievalError::MalformedHelperResponse) => {
                broken(format!("its credential helper {program} returns no JSON with Username and Secret"))
            }
            Err(_) => Ok(None),
        }
    }

    fn broken(&self, server: &str, what: impl Into<String>, helper: Option<Box<str>>) -> Error {
        Error::Credentials { path: self.path.clone(), server: server.to_owned(), what: what.into(), helper }
    }
}

impl Entry {
    /// Returns the credentials of an entry, ignoring its other fields. Empty fields do not count.
    fn credentials(&self) -> Result<Option<Credentials>, &'static str> {
        let said = |secret: &Option<SecretString>| {
            let text = secret.as_ref().map(ExposeSecret::expose_secret).filter(|text| !text.is_empty())?;
            Some(Zeroizing::new(text.to_owned()))
        };
        if let Some(token) = said(&self.identity_token) {
            return Ok(Some(Credentials::Identity(token)));
        }
        if let Some(token) = said(&self.registry_token) {
            return Ok(Some(Credentials::Bearer(token)));
        }
        if let Some(auth) = said(&self.auth) {
            return decoded(&auth).map(Some).ok_or("its `auth` is not base64 of USER:PASSWORD");
        }
        let user = self.username.clone().filter(|user| !user.is_empty());
        Ok(user.map(|user| Credentials::Basic { user, password: said(&self.password).unwrap_or_default() }))
    }
}

/// Decodes an `auth` like docker's `decodeAuth`: Go ignores line ends in base64, and the password may be
/// padded with zeroes.
fn decoded(auth: &str) -> Option<Credentials> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let clean = Zeroizing::new(auth.replace(['\r', '\n'], ""));
    let bytes = Zeroizing::new(GeneralPurpose::new(&STANDARD, config).decode(clean.as_bytes()).ok()?);
    let (user, password) = str::from_utf8(&bytes).ok()?.split_once(':')?;
    let password = Zeroizing::new(password.trim_matches('\0').to_owned());
    (!user.is_empty()).then(|| Credentials::Basic { user: user.to_owned(), password })
}

/// Returns whether a key of a file names this registry as a whole. Without a scheme, a path names
/// repositories in it, unless it is that of its API.
fn names(key: &str, host: &str) -> bool {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let (name, path) = bare.unwrap_or(key).split_once('/').unwrap_or((bare.unwrap_or(key), ""));
    let is_whole = bare.is_some() || matches!(path, "" | "v1" | "v1/" | "v2" | "v2/");
    is_whole && name.parse::<RegistryHost>().is_ok_and(|name| name.as_str() == host)
}
