//! What is being changed, told before the first change and forgotten after the last. Whoever finds it, and no one at work on
//! it, knows that somebody was killed, and of what.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use super::{Error, Store, files};
use crate::platform::{self, disk};
use crate::reference::{Digest, PluginName};

/// One `pending`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pending {
    /// The plugins that are put or removed.
    pub(super) names: Vec<PluginName>,
    /// All that they need, before and after.
    pub(super) digests: Vec<Digest>,
}

/// The most bytes of it that are read.
const LONGEST: u64 = 64 << 20;

impl Store {
    /// What somebody who was killed was about to change. One who was killed while saying so had changed nothing.
    pub(super) fn pending(&self) -> Result<Option<Pending>, Error> {
        let path = self.places.pending();
        match files::read(&path, LONGEST) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(files::read_failed(&path)(source)),
        }
    }

    /// Says what is going to change.
    pub(super) fn announce(&self, pending: &Pending) -> Result<(), Error> {
        let path = self.places.pending();
        let text = serde_json::to_vec(pending).unwrap_or_default();
        disk::write(&path, &text).map_err(files::write_failed(&path))
    }

    /// Forgets it, when all is done.
    pub(super) fn conclude(&self) -> Result<(), Error> {
        files::remove(&self.places.pending())
    }

    /// Finishes a change, or undoes it: receipts say what is installed, and all else follows them.
    ///
    /// # Errors
    /// The first of what went wrong. All the rest is done then, and `pending` stays for the next to try again.
    pub(super) fn repair(&self, pending: &Pending) -> Result<(), Error> {
        let mut first = Ok(());
        let mut attempt = |result: Result<(), Error>| {
            if first.is_ok() {
                first = result;
            }
        };
        for name in &pending.names {
            attempt(self.repair_folder(name));
            attempt(self.repair_links(name));
        }
        // Of one that cannot be read it is not known what it needs: then all stays.
        if let Some(used) = self.used()? {
            attempt(self.remove_blobs_but(&used));
            for digest in pending.digests.iter().filter(|digest| used.binary_search(digest).is_err()) {
                attempt(self.remove_compiled(*digest));
            }
        }
        first?;
        self.conclude()
    }

    /// Leaves nothing in a plugin's folder but its receipt, and no folder without one.
    fn repair_folder(&self, name: &PluginName) -> Result<(), Error> {
        let folder = self.places.plugin(name);
        if !self.places.receipt(name).exists() {
            return files::remove_folder(&folder);
        }
        for entry in disk::entries(&folder).map_err(files::read_failed(&folder))? {
            if disk::is_unfinished(&entry.file_name()) {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Gives a plugin the links that it lacks, and takes ours from a name that is no plugin's.
    fn repair_links(&self, name: &PluginName) -> Result<(), Error> {
        let installed = self.places.receipt(name).exists();
        for link in self.places.links_of(name) {
            match platform::is_link_to(&link, self.places.program()) {
                None if installed => self.link(&link)?,
                Some(true) if !installed => files::remove(&link)?,
                // One that leads to another kwasm still leads to one.
                _ => {}
            }
            let folder = self.places.links();
            for entry in disk::entries(folder).unwrap_or_default() {
                if disk::is_unfinished_for(&link, &entry.file_name()) {
                    files::remove(&entry.path())?;
                }
            }
        }
        Ok(())
    }

    /// All that the receipts name, sorted. `None` when one of them cannot be read.
    fn used(&self) -> Result<Option<Vec<Digest>>, Error> {
        let mut used = Vec::new();
        for name in self.names()? {
            match self.receipt(&name) {
                Ok(receipt) => used.extend(receipt.blobs()),
                Err(_) => return Ok(None),
            }
        }
        used.sort_unstable();
        Ok(Some(used))
    }

    /// Returns the digests of what the installed plugins run, of those whose receipts can be read.
    ///
    /// # Errors
    /// When the folder of plugins cannot be read.
    pub fn running(&self) -> Result<Vec<Digest>, Error> {
        Ok(self.names()?.iter().filter_map(|name| Some(self.receipt(name).ok()?.digest)).collect())
    }

    fn remove_blobs_but(&self, used: &[Digest]) -> Result<(), Error> {
        let folder = self.places.blobs();
        for entry in disk::entries(&folder).map_err(files::read_failed(&folder))? {
            let digest = entry.file_name().to_str().and_then(|hex| format!("sha256:{hex}").parse().ok());
            if digest.is_none_or(|digest: Digest| used.binary_search(&digest).is_err()) {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes what was compiled of a content, by whatever kwasm.
    fn remove_compiled(&self, digest: Digest) -> Result<(), Error> {
        for entry in fs::read_dir(self.places.compiled()).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&digest.hex()) {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }
}
