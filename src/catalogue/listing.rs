//! The entry of an index: one plugin.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::inspect::LONGEST_REQUEST;
use crate::policy::Policy;
use crate::reference::{Digest, Image, PluginName};

/// A plugin of an index.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listing {
    /// The name.
    pub name: PluginName,
    /// The description, in one line.
    pub description: String,
    /// The place of all its versions.
    pub source: Place,
    /// The versions, newest first.
    pub versions: Vec<Release>,
    /// The text of the policy that its newest version asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The address of its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Its licence, by its SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// A version of a plugin.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The version.
    #[serde(deserialize_with = "version", serialize_with = "version_text")]
    pub version: Version,
    /// The digest of its manifest, or of its file.
    pub digest: Digest,
}

/// The place of a plugin.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// A file; a relative path begins at the folder of the index.
    File(PathBuf),
    /// A repository, as an image with the tag `latest`, which is not used.
    Image(Image),
}

/// The largest number of versions of a plugin.
const MOST_VERSIONS: usize = 1000;
/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 300;
/// The largest number of things that are shown of what a plugin asks for.
const MOST_SENTENCES: usize = 50;
/// The longest of them, in characters.
const LONGEST_SENTENCE: usize = 500;
/// The longest address of a page, in bytes.
const LONGEST_HOMEPAGE: usize = 2000;
/// The longest licence, in bytes.
const LONGEST_LICENSE: usize = 200;

impl Listing {
    /// Checks all that the types do not say, and sorts the versions.
    ///
    /// # Errors
    /// The key that is wrong, and why.
    pub(super) fn checked(mut self) -> Result<Self, (&'static str, String)> {
        let length = self.description.chars().count();
        if length == 0 || length > LONGEST_DESCRIPTION {
            let what =
                format!("it has {length} characters, and a description has 1 to {LONGEST_DESCRIPTION}");
            return Err(("description", what));
        }
        if self.description.contains(char::is_control) {
            return Err(("description", "it has a line break or another control character".to_owned()));
        }
        if self.homepage.as_deref().is_some_and(|address| !is_address(address)) {
            return Err((
                "homepage",
                "it does not begin with https:// or http://, or is too long".to_owned(),
            ));
        }
        let is_license = |text: &str| !text.is_empty() && text.len() <= LONGEST_LICENSE && text.is_ascii();
        if self.license.as_deref().is_some_and(|text| !is_license(text)) {
            return Err(("license", "it is not an SPDX expression, e.g. Apache-2.0".to_owned()));
        }
        if self.request.as_ref().is_some_and(|text| text.len() > LONGEST_REQUEST) {
            return Err(("request", format!("it has more than {LONGEST_REQUEST} bytes")));
        }
        let number = self.versions.len();
        if number == 0 || number > MOST_VERSIONS {
            return Err(("versions", format!("there are {number}, and a plugin has 1 to {MOST_VERSIONS}")));
        }
        if matches!(self.source, Place::File(_)) && number > 1 {
            return Err(("versions", format!("there are {number}, and a file is one version")));
        }
        self.versions.sort_by(|one, other| other.version.cmp(&one.version));
        match self.versions.windows(2).find(|pair| pair[0].version == pair[1].version) {
            Some(pair) => Err(("versions", format!("there is {} twice", pair[0].version))),
            None => Ok(self),
        }
    }

    /// Returns the newest version: a prerelease only if there is nothing else.
    #[must_use]
    pub fn newest(&self) -> Option<&Release> {
        let newest = |prereleases: bool| {
            let wanted = |release: &&Release| prereleases || release.version.pre.is_empty();
            self.versions.iter().filter(wanted).max_by(|one, other| one.version.cmp(&other.version))
        };
        newest(false).or_else(|| newest(true))
    }

    /// Returns what its newest version asks for in words, or `None` if the index does not say.
    #[must_use]
    pub fn asks_for(&self) -> Option<Vec<String>> {
        let text = self.request.as_ref()?;
        Some(match Policy::read(self.name.as_str(), text) {
            Ok(policy) => shortened(policy.sentences()),
            // One that a newer kwasm understands must not hide all others of its index.
            Err(_) => vec!["a request that this version of kwasm cannot read".to_owned()],
        })
    }
}

/// Cuts what no one would read: what an index says is kept whole, and it may come from anyone.
fn shortened(mut sentences: Vec<String>) -> Vec<String> {
    let left_out = sentences.len().saturating_sub(MOST_SENTENCES);
    sentences.truncate(MOST_SENTENCES);
    for sentence in &mut sentences {
        if let Some((end, _)) = sentence.char_indices().nth(LONGEST_SENTENCE) {
            sentence.truncate(end);
            sentence.push('…');
        }
    }
    sentences.extend((left_out > 0).then(|| format!("and {left_out} more")));
    sentences
}

fn is_address(text: &str) -> bool {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web && text.len() <= LONGEST_HOMEPAGE && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl FromStr for Place {
    type Err = String;

    /// Reads a place: a path that begins like one (`./x`, `/a/x`) or ends in `.wasm` is a file, and anything
    /// else is `HOST/REPOSITORY`, in its usual spelling.
    fn from_str(text: &str) -> Result<Self, String> {
        let is_path = ["/", "./", "../"].iter().any(|start| text.starts_with(start));
        if is_path || Path::new(text).extension().is_some_and(|extension| extension == "wasm") {
            return Ok(Self::File(text.into()));
        }
        let image: Image = text.parse().map_err(|error: crate::reference::ImageError| error.to_string())?;
        let name = image.full_name();
        if name == text {
            Ok(Self::Image(image))
        } else {
            Err(format!("`{text}` has more than a host and a repository, or another spelling: write {name}"))
        }
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Image(image) => f.write_str(&image.full_name()),
        }
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

fn version<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|error| serde::de::Error::custom(format!("`{text}` is not a version: {error}")))
}

fn version_text<S: serde::Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(version)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a plugin `tail` in a registry, at these versions.
    pub(crate) fn tail(versions: &[&str]) -> Listing {
        let release =
            |text: &&str| Release { version: text.parse().unwrap(), digest: Digest::of(text.as_bytes()) };
        Listing {
            name: "tail".parse().unwrap(),
            description: "Follows the logs of many pods".to_owned(),
            source: "ghcr.io/acme/tail".parse().unwrap(),
            versions: versions.iter().map(release).collect(),
            request: None,
            homepage: None,
            license: None,
        }
    }

    #[test]
    fn versions_are_sorted_and_a_prerelease_is_newest_only_where_there_is_nothing_else() {
        let newest = |versions: &[&str]| {
            tail(versions).checked().unwrap().newest().map(|release| release.version.to_string())
        };
        assert_eq!(newest(&["1.9.0", "1.10.0", "2.0.0-rc.1"]).unwrap(), "1.10.0");
        assert_eq!(newest(&["2.0.0-rc.1", "2.0.0-rc.2"]).unwrap(), "2.0.0-rc.2");
    }

    #[test]
    fn what_the_types_do_not_say_is_checked() {
        let wrong = |change: &dyn Fn(&mut Listing)| {
            let mut listing = tail(&["1.0.0"]);
            change(&mut listing);
            listing.checked().unwrap_err().0
        };
        assert_eq!(wrong(&|listing| listing.description.clear()), "description");
        assert_eq!(wrong(&|listing| listing.description.push('\n')), "description");
        assert_eq!(wrong(&|listing| listing.description = "x".repeat(301)), "description");
        assert_eq!(wrong(&|listing| listing.homepage = Some("javascript:x".to_owned())), "homepage");
        assert_eq!(wrong(&|listing| listing.license = Some(String::new())), "license");
        assert_eq!(wrong(&|listing| listing.request = Some("x".repeat(LONGEST_REQUEST + 1))), "request");
        assert_eq!(wrong(&|listing| listing.versions.clear()), "versions");
        assert_eq!(wrong(&|listing| listing.versions = tail(&["1.0.0", "1.0.0"]).versions), "versions");
        assert_eq!(wrong(&|listing| listing.versions = tail(&["1.0.0"; 1001]).versions), "versions");
    }

    #[test]
    fn what_a_plugin_asks_for_is_cut_where_no_one_reads_on() {
        let many = shortened(vec!["x".repeat(600); 60]);
        assert_eq!((many.len(), many[50].as_str()), (51, "and 10 more"));
        assert_eq!(many[0].chars().count(), LONGEST_SENTENCE + 1);
        assert_eq!(shortened(vec!["a".to_owned()]), ["a"]);
    }

    #[test]
    fn a_place_is_a_file_or_a_repository_without_a_version() {
        assert_eq!("./x.wasm".parse(), Ok(Place::File("./x.wasm".into())));
        assert_eq!("x.wasm".parse(), Ok(Place::File("x.wasm".into())));
        assert!(matches!("registry/x".parse(), Ok(Place::Image(_))));
        for text in
            ["ghcr.io/x:1", "ghcr.io/x:latest", "GHCR.io/x", "oci://ghcr.io/x", "x", "", "docker.io/x"]
        {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
