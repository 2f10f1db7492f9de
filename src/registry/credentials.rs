//! Who the user is at a registry: what `docker login`, `podman login`, a credential helper or the configuration of package
//! registries knows.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Error;
use crate::cli::Environment;
use crate::reference::DOCKER_HUB;

/// What a registry is shown. No `Debug`: it is secret.
#[derive(Clone)]
pub(super) enum Credentials {
    /// Nothing.
    Anonymous,
    /// A user's name and password.
    Basic { user: String, password: Zeroizing<String> },
    /// A token that the registry itself takes.
    Bearer(Zeroizing<String>),
    /// A token that is exchanged for one that the registry takes: `az acr login` and its like leave one.
    Identity(Zeroizing<String>),
}

impl Credentials {
    /// For messages: who this is.
    pub(super) fn who(&self) -> String {
        match self {
            Self::Anonymous => "you are not logged in".to_owned(),
            Self::Basic { user, .. } => format!("as the user `{user}`"),
            Self::Bearer(_) | Self::Identity(_) => "with the token that you have for it".to_owned(),
        }
    }

    /// Looks for what is known of a repository's registry: docker's `config.json`, then podman's `auth.json`.
    ///
    /// # Errors
    /// When a file or a helper that should know it does not answer as it should: with other credentials than the user
    /// means, the registry would only say that there is no such thing.
    pub(super) fn find(environment: &Environment, host: &str, repository: &str) -> Result<Self, Error> {
        for path in files(environment) {
            let text = match fs::read(&path) {
                Ok(text) => Zeroizing::new(text),
                // /dev/null and the like stand for none.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    continue;
                }
                Err(source) => return Err(Error::Unreadable { path, source }),
            };
            if text.is_empty() {
                continue;
            }
            for server in servers(&text, host, repository) {
                if let Some(found) = ask(&path, &text, &server)? {
                    return Ok(found);
                }
            }
        }
        Ok(Self::Anonymous)
    }
}

/// The files with logins that are there, each with what is wrong with it. Asks no helper.
#[must_use]
pub fn logins(environment: &Environment) -> Vec<(PathBuf, Result<(), Error>)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        #[expect(dead_code, reason = "that they can be read is what is asked")]
        auths: Option<BTreeMap<String, serde_json::Value>>,
        #[expect(dead_code, reason = "the same")]
        cred_helpers: Option<BTreeMap<String, String>>,
    }
    let check = |path: PathBuf| {
        let checked = match fs::read(&path).map(Zeroizing::new) {
            Err(source) => Err(Error::Unreadable { path: path.clone(), source }),
            Ok(text) if text.is_empty() => Ok(()),
            Ok(text) => serde_json::from_slice::<Form>(&text).map(drop).map_err(|_| Error::Credentials {
                path: path.clone(),
                server: "any registry".to_owned(),
                what: NO_FORM.to_owned(),
            }),
        };
        (path, checked)
    };
    files(environment).into_iter().filter(|path| path.exists()).map(check).collect()
}

/// What is said of a file that is none.
const NO_FORM: &str = "it is no JSON of docker's or podman's form";

/// The files that hold credentials, first come first served ([docker][1], [podman][2]).
///
/// [1]: https://docs.docker.com/reference/cli/docker/#change-the-docker-directory
/// [2]: https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
pub(super) fn files(environment: &Environment) -> Vec<PathBuf> {
    let home = environment.path(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let docker = environment.path("DOCKER_CONFIG").or_else(|| below_home(".docker"));
    let podman = environment.path("REGISTRY_AUTH_FILE").map_or_else(
        || {
            let configuration = environment.path("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
            let folders = [environment.path("XDG_RUNTIME_DIR"), configuration].into_iter().flatten();
            folders.map(|folder| folder.join("containers").join("auth.json")).collect()
        },
        |path| vec![path],
    );
    docker.map(|folder| folder.join("config.json")).into_iter().chain(podman).collect()
}

/// The names under which a file may know a repository: podman's also name repositories, and the more exact comes first.
fn servers(text: &[u8], host: &str, repository: &str) -> Vec<String> {
    let known: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
    let is_known =
        |server: &str| known["auths"].get(server).is_some() || known["credHelpers"].get(server).is_some();
    let mut servers = Vec::new();
    let mut place = format!("{host}/{repository}");
    while place.len() > host.len() {
        if is_known(&place) {
            servers.push(place.clone());
        }
        place.truncate(place.rfind('/').unwrap_or(0));
    }
    if host == DOCKER_HUB {
        servers.push("https://index.docker.io/v1/".to_owned());
    }
    servers.extend([host.to_owned(), format!("https://{host}")]);
    // References go without the usual port; who logged in may have written it.
    servers.extend(Some(format!("{host}:443")).filter(|server| is_known(server)));
    servers
}

fn ask(path: &Path, text: &[u8], server: &str) -> Result<Option<Credentials>, Error> {
    let broken =
        |what: String| Err(Error::Credentials { path: path.into(), server: server.to_owned(), what });
    match docker_credential::get_credential_from_reader(text, server) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Some(Credentials::Basic { user, password: password.into() }))
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Credentials::Identity(token.into()))),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        // The words of every helper that docker publishes, for one that was asked and has nothing.
        Err(CredentialRetrievalError::HelperFailure { stdout, stderr, .. })
            if format!("{stdout}{stderr}").contains("credentials not found") =>
        {
            Ok(None)
        }
        Err(CredentialRetrievalError::HelperFailure { helper, stderr, .. }) => {
            let reason = stderr.lines().next().unwrap_or("it does not say why").to_owned();
            broken(format!("the helper {helper} failed: {reason}"))
        }
        Err(CredentialRetrievalError::HelperCommunicationError) => {
            broken("its credential helper cannot be asked: is docker-credential-… on PATH?".to_owned())
        }
        Err(CredentialRetrievalError::MalformedHelperResponse) => {
            broken("its credential helper gives no JSON with Username and Secret".to_owned())
        }
        Err(CredentialRetrievalError::ConfigNotFound | CredentialRetrievalError::ConfigReadError) => {
            broken(NO_FORM.to_owned())
        }
        Err(CredentialRetrievalError::CredentialDecodingError) => {
            broken("its `auth` is no base64 of USER:PASSWORD".to_owned())
        }
        Err(CredentialRetrievalError::CredentialMismatchError) => {
            broken("its `auth` and its `username` and `password` differ".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(config: &str, host: &str, repository: &str) -> Result<Credentials, Error> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        let variables = [("DOCKER_CONFIG".into(), folder.path().into())].into_iter().collect();
        Credentials::find(&Environment { variables, ..Environment::default() }, host, repository)
    }

    fn user(config: &str, host: &str, repository: &str) -> String {
        match found(config, host, repository) {
            Ok(Credentials::Basic { user, password }) => format!("{user}:{}", *password),
            Ok(Credentials::Identity(token)) => format!("identity {}", *token),
            Ok(Credentials::Anonymous) => "nobody".to_owned(),
            Ok(Credentials::Bearer(_)) => "bearer".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_more_exact_place_comes_first() {
        let config = r#"{"auths": {"h.example": {"auth": "YTpi"}, "h.example/team": {"auth": "Yzpk"}}}"#;
        assert_eq!(user(config, "h.example", "team/x"), "c:d");
        assert_eq!(user(config, "h.example", "teams/x"), "a:b");
        assert_eq!(user(config, "other.example", "team/x"), "nobody");
    }

    #[test]
    fn a_login_at_docker_hub_is_found_under_its_old_name() {
        let config = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "YTpi"}}}"#;
        assert_eq!(user(config, "docker.io", "library/x"), "a:b");
        assert_eq!(user(config, "h.example", "library/x"), "nobody");
    }

    #[test]
    fn a_login_that_names_the_usual_port_is_one_without() {
        let config = r#"{"auths": {"h.example:443": {"auth": "YTpi"}}}"#;
        assert_eq!(user(config, "h.example", "x"), "a:b");
        assert_eq!(user(config, "h.example:80", "x"), "nobody");
    }

    #[test]
    fn an_identity_token_is_one() {
        let config = r#"{"auths": {"h.example": {"auth": "MDA6", "identitytoken": "t"}}}"#;
        assert_eq!(user(config, "h.example", "x"), "identity t");
    }

    #[test]
    fn a_broken_file_is_named() {
        for config in ["{", "[]", r#"{"auths": {"h.example": {"auth": "?"}}}"#] {
            assert!(matches!(found(config, "h.example", "x"), Err(Error::Credentials { .. })), "{config}");
        }
        assert!(user(r#"{"credsStore": "is-not-there"}"#, "h.example", "x").contains("docker-credential-"));
        assert_eq!(user("", "h.example", "x"), "nobody");
    }
}
