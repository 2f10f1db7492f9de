//! Finds the plugin that a name means among all indexes that are kept.

use std::path::PathBuf;

use super::error::Error;
use super::kept::Kept;
use super::listing::{Listing, Place, Release};
use super::search::nearest;
use crate::reference::{IndexName, IndexSource, Listed, Source, Wanted, tag_of};
use crate::store::Store;

/// All indexes that are kept.
pub struct Catalogue {
    indexes: Vec<Kept>,
    /// Those that cannot be read.
    broken: Vec<(IndexName, Error)>,
}

/// A version of a plugin that an index names.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The index.
    pub index: IndexName,
    /// The plugin.
    pub listing: Listing,
    /// The version.
    pub release: Release,
    /// The folder of the index, if it is a file.
    folder: Option<PathBuf>,
}

impl Catalogue {
    /// Reads what is searched of all indexes of a store.
    ///
    /// # Errors
    /// If their folder cannot be read.
    pub fn open(store: &Store) -> Result<Self, Error> {
        let (mut indexes, mut broken) = (Vec::new(), Vec::new());
        for name in store.index_names()? {
            let lead = store.index_lead(&name).map_err(Error::from);
            match lead.and_then(|lead| lead.map(|lead| Kept::read_lead(&name, lead)).transpose()) {
                // None if it was removed since its name was read.
                Ok(kept) => indexes.extend(kept),
                Err(error) => broken.push((name, error)),
            }
        }
        Ok(Self { indexes, broken })
    }

    /// Returns the indexes, sorted by name.
    #[must_use]
    pub fn indexes(&self) -> &[Kept] {
        &self.indexes
    }

    /// Takes the errors of those that cannot be read.
    #[must_use]
    pub fn take_broken(&mut self) -> Vec<(IndexName, Error)> {
        std::mem::take(&mut self.broken)
    }

    /// Returns the whole of an index.
    ///
    /// # Errors
    /// [`Error::NoIndex`], or the error because of which it cannot be read.
    pub fn one(store: &Store, name: &IndexName) -> Result<Kept, Error> {
        let content = store.index(name)?.ok_or_else(|| Error::NoIndex(name.clone()))?;
        Kept::read(name, content)
    }

    /// Finds a plugin: in its index, or in the only one that has it.
    ///
    /// # Errors
    /// [`Error::Ambiguous`], [`Error::NoIndex`], [`Error::Unlisted`], [`Error::NoVersion`], and if an index
    /// that may have it cannot be read.
    pub fn find(store: &Store, listed: &Listed) -> Result<Offer, Error> {
        if let Some(index) = &listed.index {
            let kept = Self::one(store, index)?;
            return offer(&kept, listed)?.ok_or_else(|| unlisted(std::slice::from_ref(&kept), listed));
        }
        let Self { indexes, broken } = Self::open(store)?;
        // It is not known whether this one has it, too.
        if let Some((_, error)) = broken.into_iter().next() {
            return Err(error);
        }
        let mut having = Vec::new();
        for kept in &indexes {
            if kept.lines()?.iter().any(|line| line.name == listed.name.as_str()) {
                having.push(kept);
            }
        }
        match having[..] {
            [] => Err(unlisted(&indexes, listed)),
            [kept] => {
                let whole = Self::one(store, &kept.head().name)?;
                offer(&whole, listed)?.ok_or_else(|| unlisted(&indexes, listed))
            }
            _ => {
                let indexes = having.iter().map(|kept| kept.head().name.clone()).collect();
                Err(Error::Ambiguous { name: listed.name.clone(), indexes })
            }
        }
    }
}

impl Offer {
    /// Returns the artifact or the file that the index names, pinned to its digest if it is an artifact.
    #[must_use]
    pub fn source(&self) -> Source {
        match &self.listing.source {
            Place::File(path) => {
                Source::Path(self.folder.as_ref().map_or_else(|| path.clone(), |folder| folder.join(path)))
            }
            Place::Image(image) => {
                // A version that cannot be a tag is found by its digest alone.
                let tagged = image.with_tag(&tag_of(&self.release.version)).unwrap_or_else(|_| image.clone());
                Source::Image(tagged.with_digest(self.release.digest))
            }
        }
    }

    /// Returns whether it is the newest version, which the index describes.
    #[must_use]
    pub fn is_newest(&self) -> bool {
        self.listing.newest() == Some(&self.release)
    }

    /// Returns its name in messages, e.g. `acme/tail@1.2.3`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}@{}", self.index, self.listing.name, self.release.version)
    }
}

/// Returns the version of a plugin, or `None` if the index does not have the plugin.
fn offer(kept: &Kept, listed: &Listed) -> Result<Option<Offer>, Error> {
    let index = kept.index()?;
    let Some(listing) = index.plugins.into_iter().find(|listing| listing.name == listed.name) else {
        return Ok(None);
    };
    let release = match &listed.wanted {
        Wanted::Newest => listing.newest(),
        wanted => {
            let version = wanted.newest(listing.versions.iter().map(|release| &release.version));
            listing.versions.iter().find(|release| Some(&release.version) == version)
        }
    };
    let Some(release) = release.cloned() else {
        let known = listing.versions.iter().take(5).map(|release| release.version.to_string()).collect();
        return Err(Error::NoVersion { listed: listed.to_string(), known });
    };
    let folder = match kept.head().source()? {
        IndexSource::File(path) => path.parent().map(PathBuf::from),
        IndexSource::Image(_) => None,
    };
    Ok(Some(Offer { index: kept.head().name.clone(), listing, release, folder }))
}

fn unlisted(indexes: &[Kept], listed: &Listed) -> Error {
    Error::Unlisted {
        name: listed.name.clone(),
        index: listed.index.clone(),
        indexes: indexes.len(),
        nearest: nearest(indexes, listed.name.as_str()),
    }
}
