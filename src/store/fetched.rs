//! Content that was fetched to be run without being installed: kept in the cache by its digest.

use super::{Error, Plugin, Store};
use crate::inspect::Inspected;
use crate::platform::{self, disk};
use crate::reference::Digest;
use crate::registry::Artifact;

/// The most bytes of content that are kept: what is over goes by age, and is downloaded again if need be.
const BUDGET: u64 = 512 << 20;

impl Store {
    /// The content with this digest, if it was fetched before and is still what it was.
    #[must_use]
    pub fn fetched(&self, name: &str, digest: Digest) -> Option<Plugin> {
        platform::private_folder(&self.places.fetched()).ok()?;
        let plugin = self.open_file(&self.places.fetched_content(digest)).ok()?;
        (plugin.digest == digest).then(|| Plugin { name: name.to_owned(), ..plugin })
    }

    /// Keeps content for the next run, where it can be kept.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it is nothing that can run.
    pub fn keep_fetched(&self, name: &str, content: &Artifact) -> Result<Plugin, Error> {
        let inspected = Inspected::read(content.bytes())
            .map_err(|source| Error::Unfit { path: name.to_owned(), source })?;
        let path = self.places.fetched_content(content.digest());
        if platform::private_folder(&self.places.fetched()).is_ok() {
            // A cache that cannot be written costs a download, and nothing else.
            drop(disk::replace_soon(&path, content.bytes()));
            drop(disk::trim(&self.places.fetched(), &["wasm"], BUDGET, |kept| kept == path));
        }
        Ok(Plugin {
            name: name.to_owned(),
            digest: content.digest(),
            inspected,
            path,
            bytes: Some(content.bytes().clone()),
            granted: None,
        })
    }
}
