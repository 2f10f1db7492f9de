//! Adds plugins to the store and removes them.
//!
//! A change takes effect at one instant, when a receipt is renamed into its place or removed. Every step that
//! may fail for lack of space or of a permission comes before: the content, the links, the receipt under
//! another name. The steps after it only remove files. If an error or the end of the process interrupts a
//! change, [`Store::put_right`] repairs the store.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::Error as _;

use super::pending::Pending;
use super::receipt::LONGEST;
use super::{Error, Receipt, Store, files};
use crate::platform::{disk, links};
use crate::reference::PluginName;
use crate::registry::Artifact;

/// A plugin to be put into the store.
#[derive(Clone)]
pub struct StagedPlugin {
    /// All blobs that its receipt names ([`Receipt::blobs`]).
    pub blobs: Vec<Artifact>,
    /// The receipt to write.
    pub receipt: Receipt,
}

impl Store {
    /// Adds plugins: all of them, or none if there is an error.
    ///
    /// # Errors
    /// If the place of a link is taken by another file, or a file cannot be written; the store is unchanged
    /// then. [`Error::Remains`] if the plugins are in place but what they replaced could not be removed.
    pub fn put_all(&self, staged_plugins: &[StagedPlugin]) -> Result<(), Error> {
        let _lock = self.lock()?;
        for folder in [&self.places.blobs(), &self.places.plugins(), self.places.links()] {
            files::folders(folder)?;
        }
        let mut pending = Pending::default();
        let mut replaces = false;
        let mut staged_plugins = staged_plugins.to_vec();
        for StagedPlugin { receipt, .. } in &mut staged_plugins {
            self.check_links(&receipt.name)?;
            pending.names.push(receipt.name.clone());
            pending.digests.extend(receipt.blobs());
            match self.receipt(&receipt.name) {
                Ok(previous) => {
                    replaces |= !previous.blobs().eq(receipt.blobs());
                    pending.digests.extend(previous.blobs());
                    // It may have been turned on since the installation began.
                    receipt.audit |= previous.audit;
                }
                Err(Error::Unknown(_)) => {}
                // What a broken receipt needed is found by what all others need.
                Err(_) => replaces = true,
            }
        }
        let put = self.announce(&pending).and_then(|()| self.stage_and_commit(&staged_plugins));
        if let Err(error) = put {
            // Repairs that fail now are left to the next process by `pending`; the first error is the one to
            // report.
            drop(self.repair(&pending));
            return Err(error);
        }
        let tidied = self.sync_plugins(&pending.names);
        let tidied = tidied.and_then(|()| if replaces { self.repair(&pending) } else { self.conclude() });
        match (tidied, staged_plugins.first()) {
            (Err(source), Some(staged)) => Err(remains(&staged.receipt.name, "installed", source)),
            _ => Ok(()),
        }
    }

    /// Checks that the places of a plugin's links are free or have kwasm's own links.
    ///
    /// # Errors
    /// [`Error::LinkTaken`].
    pub fn check_links(&self, name: &PluginName) -> Result<(), Error> {
        let taken = |link: &PathBuf| links::is_link_to(link, self.places.program()) == Some(false);
        match self.places.links_of(name).into_iter().find(taken) {
            Some(link) => Err(Error::LinkTaken(link)),
            None => Ok(()),
        }
    }

    /// Removes a plugin: its receipt, its links, and its content and compiled code if no other plugin uses
    /// them.
    ///
    /// # Errors
    /// [`Error::Unknown`], or an error if the receipt cannot be removed; the store is unchanged then.
    /// [`Error::Remains`] if the plugin is removed, but not all of its files.
    pub fn remove(&self, name: &PluginName) -> Result<(), Error> {
        let _lock = self.lock()?;
        let digests = match self.receipt(name) {
            Ok(receipt) => receipt.blobs().collect(),
            Err(error @ Error::Unknown(_)) => return Err(error),
            // A broken receipt must not keep its plugin on the machine forever.
            Err(_) => Vec::new(),
        };
        let pending = Pending { names: vec![name.clone()], digests };
        let removed = self.announce(&pending).and_then(|()| files::remove(&self.places.receipt(name)));
        if let Err(error) = removed {
            drop(self.conclude());
            return Err(error);
        }
        let tidied = self.sync_plugins(&pending.names).and_then(|()| self.repair(&pending));
        tidied.map_err(|source| remains(name, "uninstalled", source))
    }

    /// Changes the receipt of an installed plugin, while no other kwasm changes it. Nothing else may follow from
    /// the change: the same content stays installed.
    ///
    /// # Errors
    /// The error of `change`, or if the receipt cannot be read or written; then it is the old one.
    pub fn amend<E: From<Error>>(
        &self,
        name: &PluginName,
        change: impl FnOnce(&mut Receipt) -> Result<(), E>,
    ) -> Result<(), E> {
        // Without the plugin there is nothing to lock.
        self.receipt(name)?;
        let _lock = self.lock()?;
        let mut receipt = self.receipt(name)?;
        change(&mut receipt)?;
        let pending = Pending { names: vec![name.clone()], digests: Vec::new() };
        let amended = self.announce(&pending).and_then(|()| self.commit(&[&receipt]));
        if let Err(error) = amended {
            drop(self.repair(&pending));
            return Err(error.into());
        }
        self.sync_plugins(&pending.names)?;
        Ok(self.conclude()?)
    }

    /// Repairs what a killed process left, and returns whether there was anything to repair.
    ///
    /// # Errors
    /// If the repair fails.
    pub fn settle(&self) -> Result<bool, Error> {
        if self.pending()?.is_none() {
            return Ok(false);
        }
        self.lock().map(|_lock| true)
    }

    /// Puts everything but the receipts in place, then the receipts.
    fn stage_and_commit(&self, staged_plugins: &[StagedPlugin]) -> Result<(), Error> {
        for StagedPlugin { blobs, receipt } in staged_plugins {
            for blob in blobs {
                self.put_blob(blob)?;
            }
            for link in self.places.links_of(&receipt.name) {
                self.link(&link)?;
            }
        }
        let receipts: Vec<&Receipt> = staged_plugins.iter().map(|staged| &staged.receipt).collect();
        self.commit(&receipts)
    }

    /// Puts receipts in place: all of them, or none if there is an error.
    fn commit(&self, receipts: &[&Receipt]) -> Result<(), Error> {
        let mut staged = Vec::new();
        for (index, receipt) in receipts.iter().enumerate() {
            let path = self.places.receipt(&receipt.name);
            let new = files::stage(&path, &text_of(receipt, &path)?)?;
            // Only a later one's failure takes this one back.
            let previous = if index + 1 < receipts.len() { files::read(&path, LONGEST).ok() } else { None };
            let previous = previous.map(|text| files::stage(&path, &text)).transpose()?;
            staged.push((path, new, previous));
        }
        let mut committed = Vec::new();
        for (path, new, previous) in staged {
            if let Err(source) = new.rename() {
                roll_back(committed);
                return Err(files::write_failed(&path)(source));
            }
            committed.push((path, previous));
        }
        Ok(())
    }

    /// Stores a blob. Replaces one that was damaged.
    fn put_blob(&self, blob: &Artifact) -> Result<(), Error> {
        let path = self.places.blob(blob.digest());
        if Artifact::from_file(&path).is_ok_and(|kept| kept.digest() == blob.digest()) {
            return Ok(());
        }
        files::replace(&path, blob.bytes())
    }

    /// Creates a link, unless it is already correct.
    pub(super) fn link(&self, link: &Path) -> Result<(), Error> {
        if links::leads_to(link, self.places.program()) {
            return Ok(());
        }
        if links::is_link_to(link, self.places.program()) == Some(false) {
            return Err(Error::LinkTaken(link.into()));
        }
        links::link(self.places.program(), link)
            .and_then(|()| disk::sync_folder(self.places.links()))
            .map_err(files::failed(link, "the link cannot be made"))
    }

    /// Syncs the plugins' folders, so that a power cut does not undo a change of receipts.
    fn sync_plugins(&self, names: &[PluginName]) -> Result<(), Error> {
        for folder in names.iter().map(|name| self.places.plugin(name)) {
            disk::sync_folder(&folder).map_err(files::write_failed(&folder))?;
        }
        Ok(())
    }

    /// Waits until no other kwasm writes, and repairs what a killed one left. The lock is released when the
    /// file is dropped or its process ends.
    pub(super) fn lock(&self) -> Result<fs::File, Error> {
        files::folders(self.places.root())?;
        let path = self.places.lock();
        let lock = disk::lock(&path);
        let lock = lock.map_err(files::failed(&path, "the lock cannot be taken"))?;
        if let Some(pending) = self.pending()? {
            self.repair(&pending)?;
        }
        Ok(lock)
    }
}

/// Returns the text of a receipt's file.
fn text_of(receipt: &Receipt, path: &Path) -> Result<Vec<u8>, Error> {
    let text = serde_json::to_vec_pretty(receipt).and_then(|text| match text.len() as u64 {
        0..=LONGEST => Ok(text),
        length => {
            Err(serde_json::Error::custom(format!("it would have {length} bytes, of at most {LONGEST}")))
        }
    });
    text.map_err(|source| Error::Receipt { path: path.into(), source })
}

/// Undoes committed changes. Errors are ignored, since the reason for undoing is the one to report.
fn roll_back(committed: Vec<(PathBuf, Option<disk::Staged>)>) {
    for (path, previous) in committed.into_iter().rev() {
        drop(match previous {
            Some(previous) => previous.rename(),
            None => disk::remove(&path),
        });
    }
}

fn remains(name: &PluginName, done: &'static str, source: Error) -> Error {
    Error::Remains { name: name.clone(), done, source: Box::new(source) }
}
