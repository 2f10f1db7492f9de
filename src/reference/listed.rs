//! Plugins of indexes: `INDEX/NAME[@VERSION]`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::name::{has_form, is_device};
use super::{Image, ImageError, PluginName, Wanted};

/// The name of an index on this machine, of the same form as a plugin's. `localhost` begins a reference to a
/// registry.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct IndexName(String);

/// A plugin of an index, and the requested version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// The index; `None` for the only one that has the plugin.
    pub index: Option<IndexName>,
    /// The plugin.
    pub name: PluginName,
    /// The version.
    pub wanted: Wanted,
}

/// The source of an index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IndexSource {
    /// A file.
    File(PathBuf),
    /// An artifact in an OCI registry.
    Image(Image),
}

/// The reason why a text is not a plugin of an index, an index's name, or the source of one.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum ListedError {
    /// Not a name of an index.
    #[error(
        "`{0}` is not a valid name for an index: use lower-case letters, digits and inner dashes, 63 at most, and no device of Windows"
    )]
    Index(String),
    /// Neither a file nor an artifact in a registry.
    #[error(
        "`{0}` is not a valid source of an index: give a file (./x.json) or an artifact in a registry (HOST/REPOSITORY:TAG)"
    )]
    Source(String),
    /// Not a plugin of an index.
    #[error("`{0}` is not a plugin of an index: give INDEX/NAME or INDEX/NAME@VERSION")]
    Form(String),
    /// Almost an artifact in a registry.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl IndexName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for IndexName {
    type Err = ListedError;

    fn from_str(text: &str) -> Result<Self, ListedError> {
        if has_form(text) && text != "localhost" && !is_device(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ListedError::Index(text.to_owned()))
        }
    }
}

impl TryFrom<String> for IndexName {
    type Error = ListedError;

    fn try_from(text: String) -> Result<Self, ListedError> {
        text.parse()
    }
}

impl From<IndexName> for String {
    fn from(name: IndexName) -> Self {
        name.0
    }
}

impl Listed {
    /// Returns the newest version of a plugin in whichever index has it.
    #[must_use]
    pub fn newest(name: PluginName) -> Self {
        Self { index: None, name, wanted: Wanted::Newest }
    }

    /// Returns the same plugin, without an exact version, so that newer versions match. A prerelease is kept.
    #[must_use]
    pub fn unpinned(&self) -> Self {
        Self { wanted: self.wanted.unpinned(), ..self.clone() }
    }
}

impl FromStr for Listed {
    type Err = ListedError;

    /// Reads `NAME@VERSION`, `INDEX/NAME` or `INDEX/NAME@VERSION`.
    fn from_str(text: &str) -> Result<Self, ListedError> {
        let form = || ListedError::Form(text.to_owned());
        let (path, wanted) = match text.split_once('@') {
            None => (text, Wanted::Newest),
            Some((path, version)) => (path, Wanted::read(version).ok_or_else(form)?),
        };
        let (index, name) = match path.split_once('/') {
            None => (None, path),
            Some((index, name)) => (Some(index.parse().map_err(|_| form())?), name),
        };
        Ok(Self { index, name: name.parse().map_err(|_| form())?, wanted })
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = &self.index {
            write!(f, "{index}/")?;
        }
        write!(f, "{}{}", self.name, self.wanted)
    }
}

impl FromStr for IndexSource {
    type Err = ListedError;

    /// Reads a source: a path that begins like one (`./x`, `/a/x`) or ends in `.json` is a file, and anything
    /// else is an artifact in a registry.
    fn from_str(text: &str) -> Result<Self, ListedError> {
        let is_path = ["/", "./", "../"].iter().any(|start| text.starts_with(start))
            || (cfg!(windows) && (text.contains('\\') || text.get(1..2) == Some(":")));
        let host = text.split_once('/').map(|(host, _)| host);
        let is_image = text.starts_with("oci://")
            || host.is_some_and(|host| host.contains(['.', ':']) || host == "localhost");
        let is_json = Path::new(text).extension().is_some_and(|extension| extension == "json");
        if is_path || (!is_image && is_json) {
            Ok(Self::File(text.into()))
        } else if is_image {
            Ok(Self::Image(text.parse()?))
        } else {
            Err(ListedError::Source(text.to_owned()))
        }
    }
}

/// Writes a text that is read as the same source again, since the store keeps it.
impl fmt::Display for IndexSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Image(image) => {
                let text = image.to_string();
                let is_plain = text.parse().as_ref() == Ok(self);
                write!(f, "{}{text}", if is_plain { "" } else { "oci://" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_of_an_index_reads_back_as_it_was_written() {
        for text in ["acme/tail", "acme/tail@1.2.3", "acme/tail@^1.2", "tail@1.2.3"] {
            assert_eq!(text.parse::<Listed>().unwrap().to_string(), text);
        }
        assert_eq!("acme/tail@1".parse::<Listed>().unwrap().to_string(), "acme/tail@^1");
        for text in
            ["", "/tail", "acme/", "Acme/tail", "acme/top", "localhost/tail", "a/b/c", "a/b@", "a/b@new"]
        {
            assert!(matches!(text.parse::<Listed>(), Err(ListedError::Form(_))), "{text}");
        }
    }

    #[test]
    fn an_index_comes_from_a_file_or_from_a_registry() {
        for (text, is_file) in [
            ("./x", true),
            ("/a/x.json", true),
            ("x.json", true),
            ("folder/x.json", true),
            ("ghcr.io/acme/index", false),
            ("ghcr.io/acme/index.json", false),
            ("oci://registry/index:1", false),
            ("localhost/index", false),
        ] {
            let source: IndexSource = text.parse().unwrap();
            assert_eq!(matches!(source, IndexSource::File(_)), is_file, "{text}");
            assert_eq!(source.to_string().parse(), Ok(source), "{text}");
        }
        for text in ["", "x", "acme/index", "http:x"] {
            assert!(text.parse::<IndexSource>().is_err(), "{text}");
        }
    }
}
