//! Registries, as far as signatures are looked up: manifests and blobs by the [distribution specification][1], with the token
//! that a registry gives to anybody.
//!
//! Each host that is asked (the registry, whoever gives its tokens, whoever has its blobs) has to be one of the policy's
//! `network`.
//!
//! [1]: https://github.com/opencontainers/distribution-spec/blob/main/spec.md

use std::collections::BTreeMap;

use kube_guest::{Error, Path};
use plugin_kit::Image;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::deadline::Deadline;
use crate::fetch::{self, Answer, Failed};
use crate::judge::Lookup;

/// The largest answer that is read, in bytes: that of a manifest in the specification.
const LARGEST: usize = 4 << 20;

/// What a tag may mean: one image, or one for each platform.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// The registries of one review.
pub(crate) struct Registries {
    /// The end of all lookups together.
    deadline: Deadline,
    /// The `authorization` of each repository that asked for one.
    tokens: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Lookup for Registries {
    fn digest(&mut self, image: &Image, tag: &str) -> Result<String, String> {
        let manifest = self.manifest(image, tag)?.ok_or_else(|| format!("there is no tag `{tag}`"))?;
        Ok(digest(&manifest))
    }

    fn manifest(&mut self, image: &Image, tag: &str) -> Result<Option<Vec<u8>>, String> {
        let response = self.get(image, ["manifests", tag])?;
        match response.status() {
            200 => self.whole(image, response).map(Some),
            404 => Ok(None),
            status => Err(format!("{} answered with {status}", image.host)),
        }
    }

    fn blob(&mut self, image: &Image, wanted: &str) -> Result<Vec<u8>, String> {
        let hex = wanted.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(
                "the manifest of its signatures names a blob by something else than SHA-256".to_owned()
            );
        }
        let mut response = self.get(image, ["blobs", wanted])?;
        if let 301 | 302 | 307 | 308 = response.status() {
            response = self.redirected(&response)?;
        }
        let content = match response.status() {
            200 => self.whole(image, response)?,
            status => return Err(format!("{} answered with {status}", image.host)),
        };
        if digest(&content) == wanted {
            Ok(content)
        } else {
            Err(format!("{} lied about a blob", image.host))
        }
    }
}

impl Registries {
    /// Returns registries that are asked until then.
    pub(crate) fn until(deadline: Deadline) -> Self {
        Self { deadline, tokens: BTreeMap::new() }
    }

    /// Asks for a part of a repository, and once more with a token if the registry wants one.
    fn get(&mut self, image: &Image, [kind, reference]: [&str; 2]) -> Result<Answer, String> {
        let host = if image.host == "docker.io" { "registry-1.docker.io" } else { &image.host };
        // Both were read strictly: nothing in them has a meaning in a path.
        let path = format!("/v2/{}/{kind}/{reference}", image.repository);
        let deadline = self.deadline;
        let ask = |token: Option<&String>| {
            let mut headers = vec![("accept", if kind == "manifests" { MANIFESTS } else { "*/*" })];
            headers.extend(token.map(|token| ("authorization", token.as_str())));
            fetch::get(host, &path, &headers, deadline).map_err(|why| failed(&image.host, &why, deadline))
        };
        let name = image.to_string();
        let response = ask(self.tokens.get(&name))?;
        if response.status() != 401 || self.tokens.contains_key(&name) {
            return Ok(response);
        }
        let challenge = response.header("www-authenticate").unwrap_or_default();
        let token = self.token(challenge, &image.repository).map_err(|why| {
            if deadline.left().is_none() {
                return why;
            }
            format!("{} wants a login, and gives none to everybody: {why}", image.host)
        })?;
        drop(response);
        ask(Some(self.tokens.entry(name).or_insert(token)))
    }

    /// Gets a token for anybody ([token authentication][1]).
    ///
    /// [1]: https://distribution.github.io/distribution/spec/auth/token/
    fn token(&self, challenge: &str, repository: &str) -> Result<String, String> {
        let parameters = challenge.strip_prefix("Bearer ").ok_or("it offers no tokens")?;
        let parameter = |name: &str| {
            let mut all = parameters.split(',').filter_map(|part| part.trim().split_once('='));
            all.find(|(found, _)| *found == name).map(|(_, value)| value.trim_matches('"'))
        };
        let realm = parameter("realm").and_then(|realm| realm.strip_prefix("https://"));
        let (host, path) =
            realm.and_then(|realm| realm.split_once('/')).ok_or("it names no server by https")?;
        let mut path = Path::new(path.split('/')).map_err(|error| error.to_string())?;
        if let Some(service) = parameter("service") {
            path = path.query("service", service);
        }
        // What a registry says that it needs may be more than this.
        let path = path.query("scope", &format!("repository:{repository}:pull"));
        let failed = |why| failed(host, &why, self.deadline);
        let response = fetch::get(host, path.as_ref(), &[], self.deadline).map_err(failed)?;
        if response.status() != 200 {
            return Err(format!("{host} answered with {}", response.status()));
        }
        let content = response.read(LARGEST, self.deadline).map_err(failed)?;
        let token: Token = serde_json::from_slice(&content).map_err(|error| format!("{host}: {error}"))?;
        let token = token.token.or(token.access_token).ok_or_else(|| format!("{host}: no token came"))?;
        Ok(format!("Bearer {token}"))
    }

    /// Follows a redirect, as the stores of large registries need it, without the token of the registry.
    fn redirected(&self, response: &Answer) -> Result<Answer, String> {
        let location = response.header("location").unwrap_or_default();
        let (host, path) = location
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or("a blob is not at a server by https")?;
        fetch::get(host, &format!("/{path}"), &[], self.deadline)
            .map_err(|why| failed(host, &why, self.deadline))
    }

    fn whole(&self, image: &Image, response: Answer) -> Result<Vec<u8>, String> {
        response.read(LARGEST, self.deadline).map_err(|why| failed(&image.host, &why, self.deadline))
    }
}

fn failed(host: &str, why: &Failed, deadline: Deadline) -> String {
    let time = deadline.time();
    match why {
        Failed::Unasked => {
            format!("it could not be verified in time: {time:?} were over before {host} was asked")
        }
        Failed::Late => format!("it could not be verified in time: {host} has not answered within {time:?}"),
        Failed::Error(Error::Transport(why)) if why.is_denied() => {
            format!("{host} is not a host of the policy's `network`")
        }
        Failed::Error(error) => format!("{host}: {error}"),
    }
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(content)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn when_the_time_is_over_no_registry_is_asked_any_more() {
        let image = Image::parse("r.example/a:1").unwrap();
        let mut late = Registries::until(Deadline::after(Duration::ZERO));
        let why = "it could not be verified in time: 0ns were over before r.example was asked";
        assert_eq!(late.manifest(&image, "1"), Err(why.to_owned()));
        assert_eq!(late.digest(&image, "1"), Err(why.to_owned()));
        assert_eq!(late.blob(&image, &digest(b"")), Err(why.to_owned()));
    }
}
