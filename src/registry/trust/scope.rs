//! What a rule is about: a registry from some prefix on, or a namespace of packages.

use std::fmt;
use std::net::Ipv6Addr;

/// What a rule is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    Namespace(String),
    /// A registry, in the one spelling by which it is compared, and a prefix of its repositories by whole segments.
    Registry {
        host: String,
        prefix: Vec<String>,
    },
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
        let mut segments = text.split('/');
        let host = host(segments.next().unwrap_or_default());
        let prefix: Vec<String> = segments.map(str::to_owned).collect();
        if !is_host(&host) || !prefix.iter().all(|segment| is_segment(segment)) {
            return Err(format!("`{text}` is no HOST[:PORT][/PREFIX]"));
        }
        Ok(Self::Registry { host, prefix })
    }

    /// Reads the `acme` of packages `acme:NAME`.
    pub(super) fn namespace(text: &str) -> Result<Self, String> {
        let is_word = |word: &str| {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if text.split('-').all(is_word) {
            Ok(Self::Namespace(text.to_owned()))
        } else {
            Err(format!("`{text}` is no namespace: it is the `acme` of packages acme:NAME"))
        }
    }

    /// Whether this is a registry that has the repository `HOST[:PORT]/REPOSITORY`.
    pub(super) fn covers(&self, repository: &str) -> bool {
        let Self::Registry { host: of, prefix } = self else { return false };
        let mut segments = untagged(repository).split('/');
        host(segments.next().unwrap_or_default()) == *of
            && prefix.iter().all(|segment| segments.next() == Some(segment))
    }

    pub(super) fn is_namespace(&self, name: &str) -> bool {
        matches!(self, Self::Namespace(namespace) if namespace == name)
    }

    /// How many segments there are in the prefix.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Namespace(_) => 0,
            Self::Registry { prefix, .. } => prefix.len(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(namespace) => write!(f, "the namespace {namespace}"),
            Self::Registry { host, prefix } if prefix.is_empty() => f.write_str(host),
            Self::Registry { host, prefix } => write!(f, "{host}/{}", prefix.join("/")),
        }
    }
}

/// A reference without its tag and digest, should it come with them: the rule for it is the same.
fn untagged(reference: &str) -> &str {
    let tagged = reference.split('@').next().unwrap_or_default();
    let tag = tagged.rfind(':').filter(|colon| tagged.rfind('/').is_some_and(|slash| slash < *colon));
    &tagged[..tag.unwrap_or(tagged.len())]
}

/// A host by which the others of its spellings are found too: a rule that can be got around by spelling is none.
fn host(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (name, port) = match lower.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (lower.as_str(), ""),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let name = match (name, address.and_then(|address| address.parse::<Ipv6Addr>().ok())) {
        (_, Some(address)) => format!("[{address}]"),
        // Docker Hub, in configurations and on the wire.
        ("index.docker.io" | "registry-1.docker.io", None) => "docker.io".to_owned(),
        (name, None) => name.to_owned(),
    };
    match (port, port.parse::<u16>()) {
        ("", _) | (_, Ok(443)) => name,
        (_, Ok(port)) => format!("{name}:{port}"),
        (port, Err(_)) => format!("{name}:{port}"),
    }
}

fn is_host(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host();
    let is_v6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_name = |name: &str| {
        let ends = |end: Option<char>| end.is_some_and(|end| end.is_ascii_alphanumeric());
        name.split('.').all(|part| {
            ends(part.chars().next())
                && ends(part.chars().last())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    };
    // What is there beside name and port is a user, or a port that is none.
    let rest = host.strip_prefix(name);
    rest.is_some_and(|rest| {
        rest.is_empty() || authority.port_u16().is_some_and(|port| rest == format!(":{port}"))
    }) && is_v6.map_or_else(|| is_name(name), |address| address.parse::<Ipv6Addr>().is_ok())
}

/// A segment of a repository's name, as OCI's distribution specification has it.
fn is_segment(segment: &str) -> bool {
    let ends = [segment.bytes().next(), segment.bytes().last()];
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    ends.into_iter().all(|end| end.is_some_and(|end| end.is_ascii_lowercase() || end.is_ascii_digit()))
        && segment.bytes().all(is_inner)
}
