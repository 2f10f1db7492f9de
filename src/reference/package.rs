//! References to packages: `NAMESPACE:NAME[@VERSION]`.

use std::fmt;
use std::str::FromStr;

use semver::{Version, VersionReq};

/// A package and the requested version.
///
/// The names are those of the [component model][1]: kebab-case words.
///
/// [1]: https://component-model.bytecodealliance.org/reference/wit.html#package-declarations
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Package {
    namespace: String,
    name: String,
    wanted: Wanted,
}

/// The requested version of a package.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Exactly this version, e.g. `1.2.3`.
    Exactly(Version),
    /// The newest version that is not a prerelease.
    Newest,
    /// The newest matching version, e.g. `1.2` or `^1.2.3`.
    Within(VersionReq),
}

/// The reason why a text is not a valid reference to a package.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a valid package: {reason}")]
pub struct PackageError {
    text: String,
    reason: &'static str,
}

impl Package {
    /// Returns the namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the name within the namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the requested version.
    #[must_use]
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Returns whether exactly one version is requested.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        matches!(self.wanted, Wanted::Exactly(_))
    }

    /// Returns the same package at this version.
    #[must_use]
    pub fn at(&self, version: Version) -> Self {
        Self { wanted: Wanted::Exactly(version), ..self.clone() }
    }

    /// Returns the same package without an exact version, so that newer versions match. A prerelease is kept.
    #[must_use]
    pub fn unpinned(&self) -> Self {
        Self { wanted: self.wanted.unpinned(), ..self.clone() }
    }
}

impl Wanted {
    /// Reads a version, or a range of versions.
    pub(super) fn read(text: &str) -> Option<Self> {
        let exact = text.parse().ok().map(Self::Exactly);
        exact.or_else(|| text.parse().ok().map(Self::Within))
    }

    /// Returns the same, without an exact version. A prerelease is kept.
    pub(super) fn unpinned(&self) -> Self {
        match self {
            Self::Exactly(version) if version.pre.is_empty() => Self::Newest,
            wanted => wanted.clone(),
        }
    }

    /// Returns the newest of `versions` that matches.
    #[must_use]
    pub fn newest<'a>(&self, versions: impl IntoIterator<Item = &'a Version>) -> Option<&'a Version> {
        let fits = |version: &&Version| match self {
            Self::Exactly(exact) => *version == exact,
            Self::Newest => version.pre.is_empty(),
            Self::Within(range) => range.matches(version),
        };
        versions.into_iter().filter(fits).max()
    }
}

impl FromStr for Package {
    type Err = PackageError;

    fn from_str(text: &str) -> Result<Self, PackageError> {
        let error = |reason| PackageError { text: text.to_owned(), reason };
        let (package, version) = match text.split_once('@') {
            None => (text, None),
            Some((package, version)) => (package, Some(version)),
        };
        let (namespace, name) = package.split_once(':').ok_or_else(|| error("it is not NAMESPACE:NAME"))?;
        if !is_label(namespace) || !is_label(name) {
            return Err(error(
                "its names are not words of lower-case letters and digits with dashes between them",
            ));
        }
        let wanted = match version {
            None => Wanted::Newest,
            Some(version) => Wanted::read(version).ok_or_else(|| {
                error("its version is not valid: write 1.2.3, or 1.2 for the newest of those")
            })?,
        };
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned(), wanted })
    }
}

/// Returns whether a text is a namespace or a name: `[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*`.
pub(crate) fn is_label(text: &str) -> bool {
    text.len() <= 63
        && text.split('-').all(|word| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

/// Writes what follows a name: `@1.2.3`, or nothing for the newest version.
impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(version) => write!(f, "@{version}"),
            Self::Newest => Ok(()),
            Self::Within(range) => write!(f, "@{range}"),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.namespace, self.name, self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(text: &str) -> Option<String> {
        let versions: Vec<Version> =
            ["1.9.0", "1.10.0", "2.0.0-rc.1", "0.9.0"].iter().map(|text| text.parse().unwrap()).collect();
        let package: Package = text.parse().unwrap();
        package.wanted().newest(&versions).map(ToString::to_string)
    }

    #[test]
    fn versions_are_ordered_as_numbers_and_prereleases_are_not_taken_unasked() {
        assert_eq!(newest("a:b").unwrap(), "1.10.0");
        assert_eq!(newest("a:b@1.9").unwrap(), "1.10.0");
        assert_eq!(newest("a:b@~1.9").unwrap(), "1.9.0");
        assert_eq!(newest("a:b@1.9.0").unwrap(), "1.9.0");
        assert_eq!(newest("a:b@2.0.0-rc.1").unwrap(), "2.0.0-rc.1");
        assert_eq!(newest("a:b@3"), None);
    }

    #[test]
    fn what_is_no_package_is_refused() {
        for text in
            ["a", "a:", ":b", "A:b", "a:b:c", "a:b@", "a:b@new", "a:b/c", "a-:b", "1a:b", "a:b@1.2.3.4"]
        {
            assert!(text.parse::<Package>().is_err(), "{text}");
        }
        assert_eq!("wasi-x:http2@1.0.0".parse::<Package>().unwrap().to_string(), "wasi-x:http2@1.0.0");
    }
}
