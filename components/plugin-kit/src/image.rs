//! Names of images, as container runtimes read them (`distribution/reference: normalize.go, regexp.go`), and patterns
//! for them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::fmt;

/// The registry of a name without one.
const DEFAULT_HOST: &str = "docker.io";

/// A name of an image, with what it leaves out filled in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Image {
    /// The registry, with its port if it has one.
    pub host: String,
    /// The repository in the registry.
    pub repository: String,
    /// The tag, if it has one.
    pub tag: Option<String>,
    /// The digest, such as `sha256:` and 64 digits, if it has one.
    pub digest: Option<String>,
}

impl Image {
    /// Reads a name. Returns `None` for what no container runtime takes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        if digest.as_deref().is_some_and(|digest| !is_digest(digest)) {
            return None;
        }
        let (host, path) = split_host(rest);
        // A colon before the last slash belongs to a port, which is the host's.
        let (path, tag) = match path.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag.to_owned())),
            None => (path, None),
        };
        let known_host = host.unwrap_or(DEFAULT_HOST);
        let repository = complete(known_host, path);
        let is_valid = is_host(known_host)
            && is_repository(&repository)
            && known_host.len() + 1 + repository.len() <= 255
            && tag.as_deref().is_none_or(is_tag)
            // 64 hexadecimal digits alone are the identifier of an image.
            && !(host.is_none() && tag.is_none() && digest.is_none() && path.len() == 64 && path.bytes().all(is_hex));
        is_valid.then(|| Self { host: normal(known_host).to_owned(), repository, tag, digest })
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)
    }
}

/// Images whose names are alike, such as `registry.example/*`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    host: String,
    /// `None` means all repositories.
    repository: Option<String>,
}

impl Pattern {
    /// Reads a pattern: a registry, and after a slash a repository. In each a `*` stands for any characters, but never for
    /// those of both, so that `*.example.com/*` means no path of another host.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self { host: "*".to_owned(), repository: None });
        }
        let (host, repository) = match text.split_once('/') {
            Some((host, repository)) => (host, Some(repository)),
            None => (text, None),
        };
        let plain = host.replace('*', "x");
        if !(names_host(host) || host.contains('*')) || !is_host(&plain) {
            return Err(format!("`{text}` does not begin with a registry, such as docker.io/library/*"));
        }
        if repository.is_some_and(|repository| !is_repository(&repository.replace('*', "x"))) {
            return Err(format!("`{text}` names no repository; `{host}/*` means all of the registry"));
        }
        let repository = repository.map(|repository| complete(host, repository));
        Ok(Self { host: normal(host).to_owned(), repository })
    }

    /// Returns whether it means this image.
    #[must_use]
    pub fn matches(&self, image: &Image) -> bool {
        fits(&self.host, &image.host)
            && self.repository.as_deref().is_none_or(|pattern| fits(pattern, &image.repository))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repository {
            Some(repository) => write!(f, "{}/{repository}", self.host),
            None => write!(f, "{}", self.host),
        }
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Splits a name into a registry, if it begins with one, and the rest.
fn split_host(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, rest)) if names_host(first) => (Some(first), rest),
        _ => (None, name),
    }
}

/// Returns whether the first component of a name is a registry.
fn names_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn normal(host: &str) -> &str {
    if host == "index.docker.io" { DEFAULT_HOST } else { host }
}

/// Adds what Docker's own registry leaves out.
fn complete(host: &str, path: &str) -> String {
    if normal(host) == DEFAULT_HOST && !path.contains('/') && path != "*" {
        format!("library/{path}")
    } else {
        path.to_owned()
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|address| {
        !address.is_empty() && address.bytes().all(|byte| is_any_hex(byte) || byte == b':')
    });
    (is_address || name.split('.').all(is_label))
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_repository(path: &str) -> bool {
    path.split('/').all(is_component)
}

/// Returns whether a text is letters and digits, between which single dots, one or two underscores, or dashes may stand.
fn is_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators: Vec<&str> =
        component.split(|character: char| u8::try_from(character).is_ok_and(is_word)).collect();
    let (Some(first), Some(last)) = (component.bytes().next(), component.bytes().next_back()) else {
        return false;
    };
    let is_separator = |text: &&str| {
        text.is_empty() || matches!(*text, "." | "_" | "__") || text.bytes().all(|byte| byte == b'-')
    };
    is_word(first) && is_word(last) && separators.iter().all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

/// Returns whether a text is a digest that a runtime can check: those of the algorithms that are registered.
fn is_digest(digest: &str) -> bool {
    let length = match digest.split_once(':') {
        Some(("sha256", _)) => 64,
        Some(("sha384", _)) => 96,
        Some(("sha512", _)) => 128,
        _ => return false,
    };
    digest.split_once(':').is_some_and(|(_, value)| value.len() == length && value.bytes().all(is_hex))
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn is_any_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// Returns whether a text fits a pattern in which `*` stands for any characters.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    fn read(text: &str) -> (String, Option<String>, bool) {
        let image = Image::parse(text).unwrap_or_else(|| panic!("{text}"));
        (image.to_string(), image.tag.clone(), image.digest.is_some())
    }

    #[test]
    fn what_a_name_leaves_out_is_filled_in() {
        for (text, name, tag) in [
            ("nginx", "docker.io/library/nginx", None),
            ("nginx:1.27", "docker.io/library/nginx", Some("1.27")),
            ("team/app", "docker.io/team/app", None),
            ("docker.io/nginx", "docker.io/library/nginx", None),
            ("index.docker.io/library/nginx", "docker.io/library/nginx", None),
            ("localhost/app", "localhost/app", None),
            ("localhost:5000/app:v1", "localhost:5000/app", Some("v1")),
            ("registry.example/a/b__c/d-e", "registry.example/a/b__c/d-e", None),
            ("[::1]:5000/app", "[::1]:5000/app", None),
        ] {
            assert_eq!(read(text), (name.to_owned(), tag.map(str::to_owned), false), "{text}");
        }
        assert_eq!(read(&format!("a:1@{DIGEST}")), ("docker.io/library/a".into(), Some("1".into()), true));
        assert_eq!(read(&format!("r.example:1/a@{DIGEST}")), ("r.example:1/a".into(), None, true));
    }

    #[test]
    fn what_no_runtime_takes_is_no_name() {
        for text in [
            "",
            ":1",
            "a:",
            "A",
            "a@",
            "a@sha256:ab",
            "a b",
            "a//b",
            "/a",
            "a/",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "r.example/",
            "r.example:x/a",
            "a@md5:2c26b46b68ffc68ff99b453c1d304134",
            "ü",
            "a:\u{1b}",
            "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        ] {
            assert!(Image::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_pattern_is_of_a_registry_and_a_repository() {
        let fits = |pattern: &str, image: &str| {
            Pattern::parse(pattern).unwrap().matches(&Image::parse(image).unwrap())
        };
        for (pattern, image, nearest) in [
            ("registry.example", "registry.example/a/b", "registry.example:5000/a/b"),
            ("registry.example/*", "registry.example/a/b:1", "registry.example.evil.io/a"),
            ("registry.example/team/*", "registry.example/team/a", "registry.example/teams/a"),
            ("registry.example/app", "registry.example/app:2", "registry.example/app/b"),
            ("*.example.com/*", "eu.example.com/a", "evil.io/x.example.com/a"),
            ("*.example.com/*", "a.b.example.com/a", "example.com/a"),
            ("docker.io/library/*", "nginx", "team/nginx"),
            ("docker.io/nginx", "nginx:1", "nginx2"),
            ("docker.io/*", "team/nginx", "ghcr.io/team/nginx"),
            ("r.example/*/app-*-x", "r.example/a/b/app-1-x", "r.example/a/app-x"),
        ] {
            assert!(fits(pattern, image), "{pattern} {image}");
            assert!(!fits(pattern, nearest), "{pattern} {nearest}");
        }
        assert!(fits("*", "a.example/b"));
    }

    #[test]
    fn a_pattern_without_a_registry_is_a_mistake() {
        for text in [
            "",
            "nginx",
            "library/nginx",
            "registry.example/",
            "registry.example/A",
            "r.example/a:1",
            "a b.c/d",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
