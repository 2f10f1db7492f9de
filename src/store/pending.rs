//! The record of a change, written before its first step and removed after its last. If a process finds one
//! and holds the lock, the process that wrote it was killed during the change.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use super::{Error, Store, files};
use crate::platform::{disk, links};
use crate::reference::{Digest, PluginName};

/// The contents of `pending`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pending {
    /// The plugins that are added or removed.
    pub(super) names: Vec<PluginName>,
    /// All blobs that they need, before and after.
    pub(super) digests: Vec<Digest>,
}

/// The largest size of the file that is read, in bytes.
const LONGEST: u64 = 64 << 20;

impl Store {
    /// Returns the change during which a process was killed, if any. A process killed while it wrote the
    /// record had changed nothing yet.
    pub(super) fn pending(&self) -> Result<Option<Pending>, Error> {
        let path = self.places.pending();
        match files::read(&path, LONGEST) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(files::read_failed(&path)(source)),
        }
    }

    /// Records what is going to change.
    pub(super) fn announce(&self, pending: &Pending) -> Result<(), Error> {
        let path = self.places.pending();
        let text = serde_json::to_vec(pending).unwrap_or_default();
        disk::write(&path, &text).map_err(files::write_failed(&path))
    }

    /// Removes the record, once everything is done.
    pub(super) fn conclude(&self) -> Result<(), Error> {
        files::remove(&self.places.pending())
    }

    /// Completes a change or undoes it: the receipts determine what is installed, and everything else follows
    /// them.
    ///
    /// # Errors
    /// The first error. The remaining steps are done nevertheless, and `pending` stays for the next process
    /// to try again.
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

    /// Removes everything from a plugin's folder but its receipt, and the folder if there is no receipt.
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

    /// Adds a plugin's missing links, and removes kwasm's own links of a name that is not installed.
    fn repair_links(&self, name: &PluginName) -> Result<(), Error> {
        let installed = self.places.receipt(name).exists();
        for link in self.places.links_of(name) {
            match links::is_link_to(&link, self.places.program()) {
                None if installed => self.link(&link)?,
                Some(true) if !installed => links::remove(&link).map_err(files::remove_failed(&link))?,
                // One that leads to another kwasm still leads to one.
                _ => {}
            }
            let folder = self.places.links();
            for entry in disk::entries(folder).unwrap_or_default() {
                if disk::is_unfinished_for(&link, &entry.file_name()) {
                    links::remove(&entry.path()).map_err(files::remove_failed(&entry.path()))?;
                }
            }
        }
        links::tidy(self.places.links()).map_err(files::remove_failed(self.places.links()))
    }

    /// Returns all digests that the receipts name, sorted, or `None` if one of them cannot be read.
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

    /// Returns the digests of the code that installed plugins run, as far as their receipts can be read.
    ///
    /// # Errors
    /// If the folder of plugins cannot be read.
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

    /// Removes the compiled code of a content, by whichever kwasm it was made.
    fn remove_compiled(&self, digest: Digest) -> Result<(), Error> {
        for entry in fs::read_dir(self.places.compiled()).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&digest.hex()) {
                match files::remove(&entry.path()) {
                    // A plugin that runs keeps its code there, which takes room and is removed in time.
                    Err(_) if cfg!(windows) => {}
                    removed => removed?,
                }
            }
        }
        Ok(())
    }
}
