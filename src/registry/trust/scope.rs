//! The scope of a rule: a registry with a prefix, or a namespace of packages.

use std::fmt;

use crate::reference::{HostError, Image, RegistryHost, is_label, is_repository};

/// The scope of a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    Namespace(String),
    /// A registry with a prefix of its repositories, by whole segments.
    Registry {
        host: RegistryHost,
        prefix: Vec<String>,
    },
}

/// A measure of how specific a scope is for a repository.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Exactness {
    segments: usize,
    in_full: bool,
}

impl Scope {
    /// Reads `HOST[:PORT][/PREFIX]`.
    pub(super) fn registry(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Err(format!("`{text}` has a scheme: write HOST[:PORT][/PREFIX] alone"));
        }
        if text.contains(['*', '?']) {
            return Err(format!("`{text}` has a wildcard: a prefix covers all that is below it"));
        }
        let (host, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((host, prefix)) => (host, Some(prefix)),
        };
        let host = host.parse().map_err(|why| match why {
            HostError::Disguised => format!("`{text}`: {why}"),
            HostError::Form => no_registry(text),
        })?;
        if !prefix.is_none_or(is_repository) {
            return Err(no_registry(text));
        }
        let prefix = prefix.into_iter().flat_map(|prefix| prefix.split('/')).map(str::to_owned).collect();
        Ok(Self::Registry { host, prefix })
    }

    /// Reads the namespace `acme` of packages `acme:NAME`.
    pub(super) fn namespace(text: &str) -> Result<Self, String> {
        if is_label(text) {
            Ok(Self::Namespace(text.to_owned()))
        } else {
            Err(format!("`{text}` is not a valid namespace: it is the `acme` of packages acme:NAME"))
        }
    }

    /// Returns how specifically this covers a repository, or `None` if it does not.
    pub(super) fn covers(&self, repository: &Image) -> Option<Exactness> {
        let Self::Registry { host, prefix } = self else { return None };
        if host.as_str() != repository.host() {
            return None;
        }
        let segments: Vec<&str> = repository.repository().split('/').collect();
        if prefix.iter().eq(segments.iter().take(prefix.len())) {
            return Some(Exactness { segments: prefix.len(), in_full: true });
        }
        // At Docker Hub, `x` covers everything below `x/`, and `library/x`, commonly called `x`.
        let short =
            host.is_docker_hub() && matches!((&prefix[..], &segments[..]), ([x], ["library", y]) if x == y);
        short.then_some(Exactness { segments: segments.len(), in_full: false })
    }

    pub(super) fn is_namespace(&self, name: &str) -> bool {
        matches!(self, Self::Namespace(namespace) if namespace == name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(namespace) => write!(f, "the namespace {namespace}"),
            Self::Registry { host, prefix } if prefix.is_empty() => write!(f, "{host}"),
            Self::Registry { host, prefix } => write!(f, "{host}/{}", prefix.join("/")),
        }
    }
}

fn no_registry(text: &str) -> String {
    format!("`{text}` is not HOST[:PORT][/PREFIX]")
}
