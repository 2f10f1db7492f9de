//! References to artifacts in OCI registries.

use std::fmt;
use std::str::FromStr;

use super::{Digest, HostError, RegistryHost};

/// The namespace that Docker Hub's references may omit.
const LIBRARY: &str = "library";

/// `HOST/REPOSITORY[:TAG][@sha256:…]`: a place in an OCI registry.
///
/// The parts follow the [distribution specification][1]. The only defaults are the tag `latest` and the
/// `library/` of Docker Hub. A repository has one name however it was spelled: two images are in the same
/// repository if their places are equal.
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Image {
    host: RegistryHost,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// The reason why a text is not a valid reference to an artifact in a registry.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a valid reference to an artifact in a registry: {reason}")]
pub struct ImageError {
    text: String,
    reason: String,
}

impl Image {
    /// Returns the registry, e.g. `registry.example.com:5000`.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.as_str()
    }

    /// Returns the repository in the registry, e.g. `team/decoder`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns registry and repository, which stay the same from version to version.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }

    /// Returns the tag: `latest` if neither tag nor digest was given.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest that the reference is pinned to.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Returns a reference to the same repository with this tag and no digest.
    ///
    /// # Errors
    /// If the text is not a valid tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ImageError> {
        format!("{}:{tag}", self.full_name()).parse()
    }

    /// Returns the same reference, pinned to a digest.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }
}

impl FromStr for Image {
    type Err = ImageError;

    /// Reads a reference with or without `oci://` before it.
    fn from_str(text: &str) -> Result<Self, ImageError> {
        let error = |reason: &str| ImageError { text: text.to_owned(), reason: reason.to_owned() };
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        let (host, path) =
            rest.split_once('/').ok_or_else(|| error("it has no repository: HOST/REPOSITORY"))?;
        let host: RegistryHost = host.parse().map_err(|why: HostError| error(&why.to_string()))?;
        let (path, digest) = match path.split_once('@') {
            None => (path, None),
            Some((path, digest)) => {
                let digest =
                    digest.parse().map_err(|_| error("its digest is not sha256:<64 hexadecimal digits>"))?;
                (path, Some(digest))
            }
        };
        let (repository, tag) = match path.split_once(':') {
            None => (path, None),
            Some((repository, tag)) if is_tag(tag) => (repository, Some(tag.to_owned())),
            Some((repository, digest)) if digest.parse::<Digest>().is_ok() => {
                return Err(error(&format!("a digest follows an @: {host}/{repository}@{digest}")));
            }
            Some((_, version)) if version.contains('+') && is_tag(&version.replace('+', "_")) => {
                let tag = version.replace('+', "_");
                return Err(error(&format!("a tag cannot have a `+`; that of version {version} is {tag}")));
            }
            Some(_) => {
                return Err(error("its tag has characters other than letters, digits, `_`, `.` and `-`"));
            }
        };
        if !is_repository(repository) {
            return Err(error("its repository is not a path of lower-case names"));
        }
        let repository = match repository.split_once('/') {
            None if host.is_docker_hub() => format!("{LIBRARY}/{repository}"),
            _ => repository.to_owned(),
        };
        let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
        Ok(Self { host, repository, tag, digest })
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = self.tag() {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

/// Returns whether a text matches `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128 && text.starts_with(word) && text.chars().all(|c| word(c) || c == '.' || c == '-')
}

/// Returns whether a text is the path of a repository or a prefix of such paths:
/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, separated by slashes.
pub(crate) fn is_repository(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_name = |name: &str| {
        let separators = name.split(letter).filter(|part| !part.is_empty());
        name.starts_with(letter)
            && name.ends_with(letter)
            && separators
                .into_iter()
                .all(|part| matches!(part, "." | "_" | "__") || part.bytes().all(|byte| byte == b'-'))
    };
    text.len() <= 255 && text.split('/').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Image {
        text.parse().unwrap()
    }

    #[test]
    fn a_reference_has_a_host_a_repository_and_a_tag_or_a_digest() {
        let image = read("oci://ghcr.io/team/decoder:1.2.3");
        assert_eq!(
            (image.host(), image.repository(), image.tag()),
            ("ghcr.io", "team/decoder", Some("1.2.3"))
        );
        assert_eq!(image.to_string(), "ghcr.io/team/decoder:1.2.3");
        assert_eq!(read("localhost:5000/a").tag(), Some("latest"));
        let pinned = read(&format!("h.example/a@{}", Digest::of(b"x")));
        assert_eq!((pinned.tag(), pinned.digest()), (None, Some(Digest::of(b"x"))));
        let both = format!("h.example/a:1@{}", Digest::of(b"x"));
        assert_eq!(read(&both).to_string(), both);
        assert_eq!(read("H.example/a").host(), "h.example");
        assert_eq!(read("[::1]:5000/a_b/c--d/e__f").repository(), "a_b/c--d/e__f");
    }

    #[test]
    fn a_repository_has_one_name_however_it_is_spelled() {
        for (one, spellings) in [
            (
                "docker.io/library/x",
                &["docker.io/x", "index.docker.io/x", "oci://Registry-1.docker.io.:443/library/x"][..],
            ),
            ("docker.io/acme/x", &["docker.io/acme/x", "DOCKER.IO/acme/x:1"]),
            ("ghcr.io/x", &["ghcr.io/x", "ghcr.io:443/x", "oci://GHCR.io./x"]),
            ("10.0.0.1:5000/x", &["10.0.0.1:5000/x", "[::ffff:10.0.0.1]:5000/x"]),
        ] {
            for spelling in spellings {
                assert_eq!(read(spelling).full_name(), one, "{spelling}");
            }
        }
        assert_eq!(read("docker.io/x"), read("docker.io/library/x:latest"));
        let disguised = "0xa000001:5000/x".parse::<Image>().unwrap_err().to_string();
        assert!(disguised.ends_with("write it as 192.0.2.1"), "{disguised}");
    }

    #[test]
    fn what_is_nearly_a_tag_is_refused_with_what_was_meant() {
        let refused = |text: &str| text.parse::<Image>().unwrap_err().to_string();
        let digest = Digest::of(b"x");
        let meant = format!("a digest follows an @: h.example/a@{digest}");
        assert!(refused(&format!("h.example/a:{digest}")).ends_with(&meant));
        assert!(refused("h.example/a:1.0.0+b5").ends_with("that of version 1.0.0+b5 is 1.0.0_b5"));
        assert!(refused("h.example/a:sha256:12").contains("its tag has characters other"));
        assert!(refused("h.example/a:1+?").contains("its tag has characters other"));
    }

    #[test]
    fn what_a_registry_would_not_take_is_refused() {
        for text in [
            "ghcr.io",
            "ghcr.io/",
            "/a",
            "user@host.example/a",
            "host.example:x/a",
            "host.example:99999/a",
            "host.example:/a",
            "host..example/a",
            "ho_st.example/a",
            "[::1/a",
            "::1/a",
            "h.example/A",
            "h.example/a//b",
            "h.example/../b",
            "h.example/a/",
            "h.example/-a",
            "h.example/a___b",
            "h.example/a._b",
            "h.example/a:",
            "h.example/a:-x",
            "h.example/a:x y",
            "h.example/a:1:2",
            "h.example/a@sha256:12",
            "h.example/a@md5:12",
            "h.example/a?x=1",
            "h.example/a#x",
            "h.example/a%2fb",
        ] {
            assert!(text.parse::<Image>().is_err(), "{text}");
        }
        assert!(format!("h.example/a:{}", "x".repeat(129)).parse::<Image>().is_err());
        assert!(format!("h.example/{}", "x".repeat(256)).parse::<Image>().is_err());
    }
}
