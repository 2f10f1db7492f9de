//! Registries, as far as signatures are looked up: manifests and blobs by the [distribution specification][1], with the token
//! that a registry gives to anybody.
//!
//! Each host that is asked (the registry, whoever gives its tokens, whoever has its blobs) has to be one of the policy's
//! `network`.
//!
//! [1]: https://github.com/opencontainers/distribution-spec/blob/main/spec.md

use std::collections::BTreeMap;

use kube_guest::{Error, Host, Path, Response};
use plugin_kit::Image;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::judge::Lookup;

/// The largest answer that is read, in bytes: that of a manifest in the specification.
const LARGEST: usize = 4 << 20;

/// What a tag may mean: one image, or one for each platform.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// The registries of one review.
#[derive(Default)]
pub(crate) struct Registries {
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
            200 => whole(image, response).map(Some),
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
            response = redirected(&response)?;
        }
        let content = match response.status() {
            200 => whole(image, response)?,
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
    /// Asks for a part of a repository, and once more with a token if the registry wants one.
    fn get(&mut self, image: &Image, [kind, reference]: [&str; 2]) -> Result<Response, String> {
        let host = Host::new(if image.host == "docker.io" { "registry-1.docker.io" } else { &image.host });
        // Both were read strictly: nothing in them has a meaning in a path.
        let path = format!("/v2/{}/{kind}/{reference}", image.repository);
        let ask = |token: Option<&String>| {
            let mut headers = vec![("accept", if kind == "manifests" { MANIFESTS } else { "*/*" })];
            headers.extend(token.map(|token| ("authorization", token.as_str())));
            host.get(&path, &headers).map_err(|error| failed(&image.host, &error))
        };
        let name = image.to_string();
        let response = ask(self.tokens.get(&name))?;
        if response.status() != 401 || self.tokens.contains_key(&name) {
            return Ok(response);
        }
        let challenge = response.header("www-authenticate").unwrap_or_default();
        let token = token(challenge, &image.repository)
            .map_err(|why| format!("{} wants a login, and gives none to everybody: {why}", image.host))?;
        drop(response);
        ask(Some(self.tokens.entry(name).or_insert(token)))
    }
}

/// Gets a token for anybody ([token authentication][1]).
///
/// [1]: https://distribution.github.io/distribution/spec/auth/token/
fn token(challenge: &str, repository: &str) -> Result<String, String> {
    let parameters = challenge.strip_prefix("Bearer ").ok_or("it offers no tokens")?;
    let parameter = |name: &str| {
        let mut all = parameters.split(',').filter_map(|part| part.trim().split_once('='));
        all.find(|(found, _)| *found == name).map(|(_, value)| value.trim_matches('"'))
    };
    let realm = parameter("realm").and_then(|realm| realm.strip_prefix("https://"));
    let (host, path) = realm.and_then(|realm| realm.split_once('/')).ok_or("it names no server by https")?;
    let mut path = Path::new(path.split('/')).map_err(|error| error.to_string())?;
    if let Some(service) = parameter("service") {
        path = path.query("service", service);
    }
    // What a registry says that it needs may be more than this.
    let path = path.query("scope", &format!("repository:{repository}:pull"));
    let response = Host::new(host).get(&path, &[]).and_then(Response::into_success);
    let content = response.and_then(|response| response.read_at_most(LARGEST));
    let content = content.map_err(|error| failed(host, &error))?;
    let token: Token = serde_json::from_slice(&content).map_err(|error| format!("{host}: {error}"))?;
    let token = token.token.or(token.access_token).ok_or_else(|| format!("{host}: no token came"))?;
    Ok(format!("Bearer {token}"))
}

/// Follows a redirect, as the stores of large registries need it, without the token of the registry.
fn redirected(response: &Response) -> Result<Response, String> {
    let location = response.header("location").unwrap_or_default();
    let (host, path) = location
        .strip_prefix("https://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or("a blob is not at a server by https")?;
    Host::new(host).get(format!("/{path}"), &[]).map_err(|error| failed(host, &error))
}

fn whole(image: &Image, response: Response) -> Result<Vec<u8>, String> {
    response.read_at_most(LARGEST).map_err(|error| failed(&image.host, &error))
}

fn failed(host: &str, error: &Error) -> String {
    match error {
        Error::Transport(why) if why.is_denied() => {
            format!("{host} is not a host of the policy's `network`")
        }
        error => format!("{host}: {error}"),
    }
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(content)))
}
