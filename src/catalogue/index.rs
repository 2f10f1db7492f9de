//! The index that is published: a JSON document of a strict form.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::listing::{Listing, Place};
use crate::document::API_VERSION;
use crate::registry::LONGEST_INDEX;

/// The `kind` of the document.
const KIND: &str = "Index";

/// The largest number of plugins in an index.
const MOST: usize = 100_000;

/// An index of plugins.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Index {
    api_version: String,
    kind: String,
    /// A number that grows with each edition, so that an old one is recognised.
    pub revision: u64,
    /// The plugins, sorted by their names.
    pub plugins: Vec<Listing>,
}

impl Index {
    /// Makes an index of plugins.
    ///
    /// # Errors
    /// [`Error::Twice`].
    pub fn new(revision: u64, mut plugins: Vec<Listing>) -> Result<Self, Error> {
        plugins.sort_by(|one, other| one.name.cmp(&other.name));
        if let Some(pair) = plugins.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(Error::Twice(pair[0].name.clone()));
        }
        Ok(Self { api_version: API_VERSION.to_owned(), kind: KIND.to_owned(), revision, plugins })
    }

    /// Returns its text, which is the same for the same plugins and revision.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn text(&self) -> Result<Vec<u8>, Error> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads an index; `of` is its name in messages. Only one from a file of this machine may name files.
    ///
    /// # Errors
    /// [`Error::Large`], [`Error::Invalid`], [`Error::File`].
    pub fn read(of: &str, text: &[u8], may_name_files: bool) -> Result<Self, Error> {
        let invalid = |what: String| Error::Invalid { of: of.to_owned(), what };
        if text.len() as u64 > LONGEST_INDEX {
            return Err(Error::Large { of: of.to_owned(), size: text.len() as u64 });
        }
        let index: Self = serde_json::from_slice(text).map_err(|error| invalid(error.to_string()))?;
        if index.api_version != API_VERSION || index.kind != KIND {
            return Err(invalid(format!("it does not begin with apiVersion {API_VERSION} and kind {KIND}")));
        }
        if index.plugins.len() > MOST {
            return Err(invalid(format!("it has more than {MOST} plugins")));
        }
        let mut names = BTreeSet::new();
        let mut plugins = Vec::with_capacity(index.plugins.len());
        for listing in index.plugins {
            let name = listing.name.clone();
            if !may_name_files && matches!(listing.source, Place::File(_)) {
                return Err(Error::File { of: of.to_owned(), name });
            }
            let listing =
                listing.checked().map_err(|(key, what)| invalid(format!("{name}: {key}: {what}")))?;
            if !names.insert(name.clone()) {
                return Err(invalid(format!("it has {name} twice")));
            }
            plugins.push(listing);
        }
        Self::new(index.revision, plugins)
    }
}

#[cfg(test)]
mod tests {
    use super::super::listing::tests::tail;
    use super::*;

    fn text(change: impl Fn(&str) -> String) -> Vec<u8> {
        let index = Index::new(7, vec![tail(&["1.0.0"])]).unwrap();
        change(&String::from_utf8(index.text().unwrap()).unwrap()).into_bytes()
    }

    fn refused(change: impl Fn(&str) -> String) -> String {
        Index::read("x", &text(change), false).unwrap_err().to_string()
    }

    #[test]
    fn an_index_reads_back_as_it_was_written() {
        let index = Index::read("x", &text(str::to_owned), false).unwrap();
        assert_eq!((index.revision, index.plugins.len()), (7, 1));
        assert_eq!(index.text().unwrap(), text(str::to_owned));
    }

    #[test]
    fn what_is_not_of_the_form_is_refused() {
        assert!(
            refused(|text| text.replace("\"revision\"", "\"more\":1,\"revision\"")).contains("unknown field")
        );
        assert!(refused(|text| text.replace("kwasm.dev/v1", "kwasm.dev/v2")).contains("apiVersion"));
        assert!(refused(|text| text.replace("\"tail\"", "\"Tail\"")).contains("not a valid plugin name"));
        assert!(refused(|text| text.replace("\"tail\"", "\"get\"")).contains("a command of kubectl"));
        assert!(refused(|text| text.replace("1.0.0", "1.0")).contains("not a version"));
        assert!(refused(|text| text.replace("sha256:", "sha512:")).contains("not a digest"));
        assert!(refused(|text| text.replace("Follows", "Follows\\u001b")).contains("control character"));
        assert!(
            refused(|text| text.replace("acme/tail\"", "acme/tail:1\"")).contains("write ghcr.io/acme/tail")
        );
        assert!(refused(|_| String::new()).contains("not a valid index"));
    }

    #[test]
    fn only_a_file_of_this_machine_may_name_files() {
        let with_file = text(|text| text.replace("ghcr.io/acme/tail", "/etc/passwd"));
        assert!(matches!(Index::read("x", &with_file, false), Err(Error::File { .. })));
        assert!(Index::read("x", &with_file, true).is_ok());
    }

    #[test]
    fn a_plugin_is_in_an_index_once() {
        assert!(matches!(Index::new(1, vec![tail(&["1.0.0"]), tail(&["2.0.0"])]), Err(Error::Twice(_))));
    }
}
