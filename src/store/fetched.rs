//! Content that was fetched to run without being installed, cached by its digest.

use super::{Error, Plugin, Store};
use crate::inspect::Inspected;
use crate::platform::{self, disk};
use crate::reference::Digest;
use crate::registry::Artifact;

/// The largest total size of cached content, in bytes. Beyond it, the least recently used content is removed
/// and downloaded again when needed.
const BUDGET: u64 = 512 << 20;

impl Store {
    /// Returns the content with this digest, if it was fetched before and is unaltered.
    #[must_use]
    pub fn fetched(&self, name: &str, digest: Digest) -> Option<Plugin> {
        platform::private_folder(&self.places.fetched()).ok()?;
        let plugin = self.open_file(&self.places.fetched_content(digest)).ok()?;
        (plugin.digest == digest).then(|| Plugin { name: name.to_owned(), ..plugin })
    }

    /// Caches content for the next run, if possible.
    ///
    /// # Errors
    /// [`Error::Unfit`] if it cannot run.
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
            audit: false,
            ask: false,
        })
    }
}
