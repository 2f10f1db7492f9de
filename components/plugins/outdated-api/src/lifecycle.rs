//! Which APIs of Kubernetes are deprecated or removed.

use serde::{Serialize, Serializer};
use std::fmt;

/// The list, as data.
const LIST: &str = include_str!("lifecycle.txt");

/// A version of Kubernetes, such as 1.25.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Reads the beginning of a version: `1.25`, `v1.25.3`, `1.27+`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (major, rest) = text.split_once('.')?;
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (minor, rest) = rest.split_at(end);
        let is_whole = rest.is_empty() || rest.starts_with(['.', '+', '-']);
        is_whole.then_some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An API that is deprecated in some version, and removed in a later one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Api {
    #[serde(rename = "apiVersion")]
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) deprecated: Version,
    pub(crate) removed: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replacement: Option<&'static str>,
}

/// Which APIs matter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Horizon {
    /// Those that are deprecated in this version.
    Deprecated(Version),
    /// Those that this version no longer has.
    Removed(Version),
}

/// The APIs that matter.
#[derive(Clone, Debug)]
pub(crate) struct Lifecycle(Vec<Api>);

impl Lifecycle {
    /// Returns the APIs that matter within a horizon.
    pub(crate) fn within(horizon: Horizon) -> Self {
        let matters = |api: &Api| match horizon {
            Horizon::Deprecated(version) => api.deprecated <= version,
            Horizon::Removed(version) => api.removed <= version,
        };
        Self(LIST.lines().filter_map(read).filter(matters).collect())
    }

    /// Returns what is known of an API, if it matters.
    pub(crate) fn of(&self, api_version: &str, kind: &str) -> Option<Api> {
        self.0.iter().copied().find(|api| api.version == api_version && api.kind == kind)
    }

    /// Returns whether objects of a resource may have been written by such an API: by one of its own group, or by one that its
    /// group replaces.
    pub(crate) fn concerns(&self, group: &str, kind: &str) -> bool {
        let is_of = |api_version: &str| api_version.split_once('/').is_some_and(|(of, _)| of == group);
        self.0
            .iter()
            .any(|api| api.kind == kind && (is_of(api.version) || api.replacement.is_some_and(is_of)))
    }
}

fn read(line: &'static str) -> Option<Api> {
    let line = line.split('#').next()?;
    let mut words = line.split(' ');
    let (version, kind) = (words.next()?, words.next()?);
    let (deprecated, removed) = (Version::parse(words.next()?)?, Version::parse(words.next()?)?);
    let replacement = words.next().filter(|replacement| *replacement != "-");
    Some(Api { version, kind, deprecated, removed, replacement })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_version_is_read_in_all_its_spellings() {
        for text in ["1.25", "v1.25", "v1.25.3", "1.25+", "v1.25.3-gke.1", "1.25.0+k3s1"] {
            assert_eq!(version(text).to_string(), "1.25", "{text}");
        }
        for text in ["", "1", "latest", "1.x", "1.25x", "v1.", "-1.2"] {
            assert!(Version::parse(text).is_none(), "{text}");
        }
        assert!(version("1.9") < version("1.16") && version("1.99") < version("2.0"));
    }

    #[test]
    fn each_line_of_the_list_is_an_api() {
        let lines: Vec<&str> = LIST.lines().filter(|line| !line.starts_with('#')).collect();
        for line in &lines {
            let api = read(line).unwrap_or_else(|| panic!("{line}"));
            assert!(api.deprecated < api.removed && api.version.contains('/'), "{line}");
            assert_ne!(api.replacement, Some(api.version), "{line}");
        }
        let removed: Vec<Version> =
            lines.iter().filter_map(|line| read(line)).map(|api| api.removed).collect();
        assert!(removed.is_sorted() && lines.len() > 90);
        // A replacement that is removed itself helps nobody.
        let all = Lifecycle::within(Horizon::Removed(version("2.0")));
        for api in &all.0 {
            let replacement = api.replacement.and_then(|replacement| all.of(replacement, api.kind));
            assert!(replacement.is_none_or(|replacement| replacement.removed > api.removed), "{api:?}");
        }
    }

    #[test]
    fn a_horizon_has_what_is_before_it() {
        let at = |text: &str| Lifecycle::within(Horizon::Deprecated(version(text)));
        let to = |text: &str| Lifecycle::within(Horizon::Removed(version(text)));
        assert!(at("1.21").of("policy/v1beta1", "PodDisruptionBudget").is_some());
        assert!(at("1.20").of("policy/v1beta1", "PodDisruptionBudget").is_none());
        assert!(to("1.25").of("policy/v1beta1", "PodDisruptionBudget").is_some());
        assert!(to("1.24").of("policy/v1beta1", "PodDisruptionBudget").is_none());
        assert!(at("1.36").of("policy/v1", "PodDisruptionBudget").is_none());
    }

    #[test]
    fn a_resource_concerns_whoever_replaces_its_group() {
        let all = Lifecycle::within(Horizon::Deprecated(version("1.36")));
        assert!(all.concerns("networking.k8s.io", "Ingress") && all.concerns("apps", "Deployment"));
        assert!(!all.concerns("", "Pod") && !all.concerns("example.com", "Ingress"));
    }
}
