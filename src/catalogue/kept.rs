//! The form in which an index is kept: all of it in one file, so that one rename replaces it, and in parts, so
//! that a search reads and parses no more than it needs.
//!
//! ```text
//! {"form":1,"name":"acme",…}                     a line: the head
//! tail<TAB>follows the logs…<TAB>{"name":"tail",…}  a line a plugin: what is searched, and what is shown
//!                                                an empty line
//! {"apiVersion":…}                               the index, as it was published
//! ```

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::index::Index;
use super::listing::Listing;
use crate::reference::{Digest, IndexName, IndexSource};
use crate::store::Origin;

/// The number of this form. What another kwasm kept in another one has to be fetched again.
const FORM: u32 = 1;

/// The facts about an index that is kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Head {
    form: u32,
    /// The name on this machine.
    pub name: IndexName,
    /// The source, as it is read again.
    source: String,
    /// The digest of the index itself.
    pub digest: Digest,
    /// The artifact that it was in, if it came from a registry. Its blobs are not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Origin>,
    /// The revision.
    pub revision: u64,
    /// The number of plugins.
    pub plugins: usize,
    /// The time at which it was fetched, in RFC 3339, UTC.
    pub updated_at: String,
}

/// The part of a plugin that is searched and shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Summary<'a> {
    /// The name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// The newest version.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
    /// The description.
    #[serde(borrow)]
    pub description: Cow<'a, str>,
    /// The repository or file.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// What the newest version asks for, in words; `None` if the index does not say.
    pub asks_for: Option<Vec<String>>,
    /// The address of its page.
    #[serde(borrow)]
    pub homepage: Option<Cow<'a, str>>,
    /// The licence.
    #[serde(borrow)]
    pub license: Option<Cow<'a, str>>,
}

/// A line of a plugin.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// The name.
    pub(super) name: &'a str,
    /// The description in lower case.
    pub(super) description: &'a str,
    /// The [`Summary`] in JSON.
    shown: &'a str,
}

/// An index that is kept.
pub struct Kept {
    head: Head,
    content: Vec<u8>,
    /// The position of the lines, and of the index itself.
    lines: usize,
    index: usize,
}

/// The end of what is searched: of its last line, and an empty line.
const END: &[u8] = b"\n\n";

impl Kept {
    /// Puts an index and its `text` into the form in which they are kept.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn new(
        name: IndexName,
        source: &IndexSource,
        artifact: Option<Origin>,
        (index, text): (&Index, &[u8]),
        updated_at: String,
    ) -> Result<Self, Error> {
        let head = Head {
            form: FORM,
            name,
            source: source.to_string(),
            digest: Digest::of(text),
            artifact,
            revision: index.revision,
            plugins: index.plugins.len(),
            updated_at,
        };
        let mut content = serde_json::to_vec(&head)?;
        content.push(b'\n');
        let lines = content.len();
        for listing in &index.plugins {
            // Neither a description nor JSON has a tab or the end of a line in it.
            let searched = format!("{}\t{}\t", listing.name, listing.description.to_lowercase());
            content.extend_from_slice(searched.as_bytes());
            serde_json::to_writer(&mut content, &summary(listing))?;
            content.push(b'\n');
        }
        content.push(b'\n');
        let at_index = content.len();
        content.extend_from_slice(text);
        Ok(Self { head, content, lines, index: at_index })
    }

    /// Reads what was kept under a name. Only the head is parsed.
    ///
    /// # Errors
    /// [`Error::Form`].
    pub fn read(name: &IndexName, content: Vec<u8>) -> Result<Self, Error> {
        let (head, lines) = Head::read(name, &content)?;
        // The end of the head's line may be that of the last one.
        let rest = &content[lines - 1..];
        let end = rest.windows(END.len()).position(|bytes| bytes == END);
        let index = lines - 1 + end.ok_or_else(|| Error::Form(name.clone()))? + END.len();
        Ok(Self { head, content, lines, index })
    }

    /// Reads what [`crate::store::Store::index_lead`] returns of what was kept, which is sufficient for a search.
    ///
    /// # Errors
    /// [`Error::Form`].
    pub fn read_lead(name: &IndexName, lead: Vec<u8>) -> Result<Self, Error> {
        let (head, lines) = Head::read(name, &lead)?;
        if !lead.ends_with(END) {
            return Err(Error::Form(name.clone()));
        }
        Ok(Self { head, index: lead.len(), content: lead, lines })
    }

    /// Returns the head.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the content of its file.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Returns the lines of all plugins.
    ///
    /// # Errors
    /// [`Error::Form`].
    pub(super) fn lines(&self) -> Result<Vec<Line<'_>>, Error> {
        let form = || Error::Form(self.head.name.clone());
        let text = self.content.get(self.lines..self.index - 1).unwrap_or_default();
        let text = std::str::from_utf8(text).map_err(|_| form())?;
        text.lines().map(|line| Line::read(line).ok_or_else(form)).collect()
    }

    /// Returns what is shown of a plugin.
    ///
    /// # Errors
    /// [`Error::Form`].
    pub(super) fn summary<'a>(&self, line: &Line<'a>) -> Result<Summary<'a>, Error> {
        serde_json::from_str(line.shown).map_err(|_| Error::Form(self.head.name.clone()))
    }

    /// Returns what is shown of all plugins.
    ///
    /// # Errors
    /// [`Error::Form`].
    pub fn summaries(&self) -> Result<Vec<Summary<'_>>, Error> {
        self.lines()?.iter().map(|line| self.summary(line)).collect()
    }

    /// Returns the index itself.
    ///
    /// # Errors
    /// [`Error::Form`], if it is not what was fetched, or was not read.
    pub fn index(&self) -> Result<Index, Error> {
        let text = &self.content[self.index..];
        if Digest::of(text) != self.head.digest {
            return Err(Error::Form(self.head.name.clone()));
        }
        let may_name_files = matches!(self.head.source()?, IndexSource::File(_));
        Index::read(self.head.name.as_str(), text, may_name_files)
    }
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (name, rest) = line.split_once('\t')?;
        let (description, shown) = rest.split_once('\t')?;
        Some(Self { name, description, shown })
    }
}

impl Head {
    /// Reads the head of what was kept under a name, and returns the position behind it.
    fn read(name: &IndexName, content: &[u8]) -> Result<(Self, usize), Error> {
        let form = || Error::Form(name.clone());
        let end = content.iter().position(|byte| *byte == b'\n').map(|end| end + 1).ok_or_else(form)?;
        let head: Self = serde_json::from_slice(&content[..end]).map_err(|_| form())?;
        if head.form != FORM || head.name != *name {
            return Err(form());
        }
        Ok((head, end))
    }

    /// Returns the source.
    ///
    /// # Errors
    /// [`Error::Form`].
    pub fn source(&self) -> Result<IndexSource, Error> {
        self.source.parse().map_err(|_| Error::Form(self.name.clone()))
    }

    /// Checks that an edition may follow this one.
    ///
    /// # Errors
    /// [`Error::Older`]; `of` is the name of the edition there.
    pub fn precedes(&self, of: &str, index: &Index) -> Result<(), Error> {
        if index.revision >= self.revision {
            return Ok(());
        }
        let (name, of) = (self.name.clone(), of.to_owned());
        Err(Error::Older { of, name, was: self.revision, is: index.revision })
    }
}

fn summary(listing: &Listing) -> Summary<'_> {
    let newest = listing.newest();
    Summary {
        name: listing.name.as_str().into(),
        version: newest.map(|release| release.version.to_string()).unwrap_or_default().into(),
        description: listing.description.as_str().into(),
        source: listing.source.to_string().into(),
        asks_for: listing.asks_for(),
        homepage: listing.homepage.as_deref().map(Cow::from),
        license: listing.license.as_deref().map(Cow::from),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::listing::tests::tail;
    use super::*;

    /// Returns an index `acme` that is kept, with these plugins and a revision.
    pub(crate) fn kept(name: &str, revision: u64, plugins: Vec<Listing>) -> Kept {
        let index = Index::new(revision, plugins).unwrap();
        let source = IndexSource::File("/x/index.json".into());
        Kept::new(name.parse().unwrap(), &source, None, (&index, &index.text().unwrap()), "now".to_owned())
            .unwrap()
    }

    #[test]
    fn what_is_kept_reads_back_and_what_is_altered_does_not() {
        let acme: IndexName = "acme".parse().unwrap();
        let mut listing = tail(&["1.0.0", "1.1.0"]);
        listing.request = Some("apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: tail}\nspec:\n  kubernetes:\n    rules:\n    - {apiGroups: [''], resources: [pods], verbs: [list], namespaces: [current]}\n".to_owned());
        let content = kept("acme", 3, vec![listing]).content().to_vec();
        let lead = content.windows(2).position(|bytes| bytes == END).unwrap() + 2;
        let lead = Kept::read_lead(&acme, content[..lead].to_vec()).unwrap();
        assert_eq!(lead.summaries().unwrap().len(), 1);
        assert!(lead.index().is_err(), "it was not read");
        let read = Kept::read(&acme, content.clone()).unwrap();
        let summaries = read.summaries().unwrap();
        assert_eq!((&*summaries[0].name, &*summaries[0].version), ("tail", "1.1.0"));
        assert_eq!(summaries[0].asks_for.as_deref().unwrap(), ["list pods in the current namespace"]);
        assert_eq!(read.index().unwrap().plugins[0].versions.len(), 2);
        assert!(Kept::read(&"corp".parse().unwrap(), content.clone()).is_err());
        let altered = String::from_utf8(content).unwrap().replace("many", "some");
        assert!(Kept::read(&acme, altered.into_bytes()).unwrap().index().is_err());
        let empty = kept("acme", 3, Vec::new()).content().to_vec();
        assert_eq!(Kept::read(&acme, empty).unwrap().index().unwrap().plugins.len(), 0);
        for broken in ["", "{}", "{}\n[]\n", "\n\n\n"] {
            assert!(Kept::read(&acme, broken.as_bytes().to_vec()).is_err(), "{broken:?}");
            assert!(Kept::read_lead(&acme, broken.as_bytes().to_vec()).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn an_older_edition_does_not_follow_a_newer_one() {
        let kept = kept("acme", 3, Vec::new());
        let of = |revision| Index::new(revision, Vec::new()).unwrap();
        assert!(kept.head().precedes("x", &of(3)).is_ok() && kept.head().precedes("x", &of(4)).is_ok());
        let error = kept.head().precedes("x", &of(2)).unwrap_err().to_string();
        assert_eq!(error, "x: it is older than the edition that is kept: revision 2, and not 3 or later");
    }
}
