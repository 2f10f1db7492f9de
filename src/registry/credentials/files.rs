//! The files in which docker and podman store logins.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::file::File;
use super::{Credentials, is_none};
use crate::environment::Environment;
use crate::registry::Error;

impl Credentials {
    /// Looks up the credentials for a repository's registry: in docker's `config.json`, then in podman's
    /// `auth.json`.
    ///
    /// As with docker, a failing file or helper only affects requests that require a login: the registry is
    /// accessed without one, and reports it itself.
    pub(in crate::registry) fn find(environment: &Environment, host: &str, repository: &str) -> Self {
        let mut unknown = None;
        for path in files(environment) {
            match File::read(path).and_then(|file| file.map_or(Ok(None), |file| file.find(host, repository)))
            {
                Ok(Some(found)) => return found,
                Ok(None) => {}
                Err(error) => unknown = unknown.or(Some(error)),
            }
        }
        unknown.map_or(Self::Anonymous, |error| Self::Unknown(Arc::new(error)))
    }
}

/// Returns the existing files with logins, each with its error if it has one. Runs no helper.
#[must_use]
pub fn logins(environment: &Environment) -> Vec<(PathBuf, Result<(), Error>)> {
    let is_absent = |path: &PathBuf| {
        let error = fs::symlink_metadata(path).err();
        error.is_some_and(|error| is_none(&error))
    };
    let check = |path: PathBuf| {
        let checked = File::read(path.clone()).map(drop);
        (path, checked)
    };
    files(environment).into_iter().filter(|path| !is_absent(path)).map(check).collect()
}

/// Returns the files that may contain credentials, in order of precedence ([docker][1], [podman][2]).
///
/// [1]: https://docs.docker.com/reference/cli/docker/#change-the-docker-directory
/// [2]: https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
pub(in crate::registry) fn files(environment: &Environment) -> Vec<PathBuf> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found(config: &str, host: &str, repository: &str) -> Credentials {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        let variables = [("DOCKER_CONFIG".into(), folder.path().into())].into_iter().collect();
        Credentials::find(&Environment { variables, ..Environment::default() }, host, repository)
    }

    fn user(config: &str, host: &str, repository: &str) -> String {
        match found(config, host, repository) {
            Credentials::Basic { user, password } => format!("{user}:{}", *password),
            Credentials::Identity(token) => format!("identity {}", *token),
            Credentials::Anonymous => "nobody".to_owned(),
            Credentials::Bearer(token) => format!("bearer {}", *token),
            Credentials::Unknown(error) => error.to_string(),
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
            assert!(found(config, "h.example", "x").unknown().is_some(), "{config}");
        }
        assert!(user(r#"{"credsStore": "is-not-there"}"#, "h.example", "x").contains("docker-credential-"));
        assert_eq!(user("", "h.example", "x"), "nobody");
    }

    #[test]
    fn what_docker_takes_for_a_login_is_one() {
        for (entry, who) in [
            (r#"{"auth": "YTpi", "identitytoken": ""}"#, "a:b"),
            (r#"{"auth": "", "username": "a", "password": "b"}"#, "a:b"),
            (r#"{"username": "a", "password": "b"}"#, "a:b"),
            (r#"{"auth": "YTpi\n"}"#, "a:b"),
            (r#"{"auth": "YT\r\npi"}"#, "a:b"),
            (r#"{"auth": "YTpiAAA="}"#, "a:b"),
            (r#"{"auth": "YTpi", "username": "c", "password": "d"}"#, "a:b"),
            (r#"{"auth": "YTpiOmM="}"#, "a:b:c"),
            (r#"{"auth": null, "registrytoken": "t"}"#, "bearer t"),
            (r#"{"email": "a@example.com"}"#, "nobody"),
            ("{}", "nobody"),
            ("null", "nobody"),
        ] {
            let config = format!(r#"{{"auths": {{"h.example": {entry}}}}}"#);
            assert_eq!(user(&config, "h.example", "x"), who, "{entry}");
        }
        for entry in [r#"{"auth": "Og=="}"#, r#"{"auth": "YQ=="}"#, r#"{"auth": 1}"#] {
            let config = format!(r#"{{"auths": {{"h.example": {entry}}}}}"#);
            assert!(found(&config, "h.example", "x").unknown().is_some(), "{entry}");
        }
    }

    #[test]
    fn a_registry_is_known_by_whatever_docker_calls_it_and_by_nothing_else() {
        for (key, is_it) in [
            ("h.example", true),
            ("h.example/", true),
            ("h.example/v1/", true),
            ("h.example/v2/", true),
            ("H.example:443", true),
            ("https://h.example/v1/", true),
            ("http://h.example", true),
            ("https://h.example/any/path", true),
            ("h.example/team", false),
            ("h.example:80", false),
            ("https://example", false),
            ("other.h.example", false),
            ("h.example.", true),
        ] {
            let config = format!(r#"{{"auths": {{"{key}": {{"auth": "YTpi"}}}}}}"#);
            let who = if is_it { "a:b" } else { "nobody" };
            assert_eq!(user(&config, "h.example", "x"), who, "{key}");
        }
        // The exact name comes first.
        let both = r#"{"auths": {"h.example": {"auth": "Yzpk"}, "H.example/": {"auth": "YTpi"}}}"#;
        assert_eq!(user(both, "h.example", "x"), "c:d");
    }

    #[test]
    fn what_cannot_be_read_of_one_file_does_not_hide_the_login_in_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let podman = folder.path().join("auth.json");
        fs::write(&podman, r#"{"auths": {"h.example": {"auth": "YTpi"}}}"#).unwrap();
        let find = |config: &str, host: &str| {
            fs::write(folder.path().join("config.json"), config).unwrap();
            let variables = [
                ("DOCKER_CONFIG".into(), folder.path().into()),
                ("REGISTRY_AUTH_FILE".into(), podman.clone().into()),
            ];
            let variables = variables.into_iter().collect();
            Credentials::find(&Environment { variables, ..Environment::default() }, host, "x")
        };
        assert!(matches!(find("{", "h.example"), Credentials::Basic { .. }));
        assert!(find("{", "other.example").unknown().is_some());
        assert!(matches!(find("{}", "other.example"), Credentials::Anonymous));
    }

    #[test]
    fn a_helper_that_is_not_there_is_named_and_one_that_is_not_asked_does_not_matter() {
        let config = r#"{"credHelpers": {"h.example": "is-not-there"}}"#;
        let said = found(config, "h.example", "x").who();
        assert!(said.contains("docker-credential-is-not-there"), "{said}");
        assert_eq!(user(config, "other.example", "x"), "nobody");
    }
}
