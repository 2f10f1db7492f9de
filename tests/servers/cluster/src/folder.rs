//! The folder of one cluster, under the system's temporary folder and gone with its supervisor.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;

const PREFIX: &str = "kwasm-cluster-";
/// The lock held by the supervisor as long as it lives, so that others can distinguish a live cluster from a
/// remnant.
const LOCK: &str = "supervisor.lock";
/// The file whose removal ends a standing cluster.
const UP: &str = "up";

/// A new folder. Dropping it removes it with all it holds.
pub(crate) struct Folder {
    dir: TempDir,
    /// Dropped after the folder has been removed: the fields' order is what [`end`] relies on.
    _held: File,
}

impl Folder {
    /// Makes a folder that only this user can read, and removes those of supervisors that were killed.
    pub(crate) fn new() -> Result<Self, Error> {
        let parent = std::env::temp_dir();
        remove_remnants(&parent);
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).map_err(Error::at(&parent))?;
        // The lock gets its name after it is held, so that a free lock means a remnant.
        let unnamed = dir.path().join("supervisor.new");
        let held = File::create(&unnamed).map_err(Error::at(&unnamed))?;
        held.lock().map_err(Error::at(&unnamed))?;
        fs::rename(&unnamed, dir.path().join(LOCK)).map_err(Error::at(&unnamed))?;
        Ok(Self { dir, _held: held })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file of the folder, and returns its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf, Error> {
        let path = self.join(name);
        fs::write(&path, content).map_err(Error::at(&path))?;
        Ok(path)
    }

    /// Makes the file whose removal asks the supervisor to end.
    pub(crate) fn mark_up(&self) -> Result<PathBuf, Error> {
        self.write(UP, "remove this file to end the cluster\n")
    }
}

/// Asks the supervisor of `dir` to end, and waits until it and the folder are gone.
pub(crate) fn end(dir: &Path) -> Result<(), Error> {
    // Opened before it goes: its name vanishes while the folder is being removed, its lock only afterwards.
    let path = dir.join(LOCK);
    let lock = File::open(&path).map_err(Error::at(&path))?;
    let up = dir.join(UP);
    fs::remove_file(&up).map_err(Error::at(&up))?;
    lock.lock().map_err(Error::at(&path))?;
    match fs::remove_dir_all(dir) {
        // A supervisor that was killed meanwhile has left it.
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::at(dir)(e)),
    }
}

/// Returns whether this is the name of such a folder.
pub(crate) fn is_ours(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with(PREFIX)
}

/// Returns whether a supervisor holds `dir`.
pub(crate) fn is_held(dir: &Path) -> bool {
    File::open(dir.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err())
}

fn remove_remnants(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if !is_ours(&entry.file_name()) {
            continue;
        }
        let remnant = File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if remnant {
            // Another supervisor may be removing it at the same moment.
            let _removed = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_while_it_lives_and_gone_afterwards() {
        let folder = Folder::new().unwrap();
        let path = folder.path().to_owned();
        assert!(is_held(&path));
        // A second supervisor must not take it for a remnant.
        let other = Folder::new().unwrap();
        assert!(path.is_dir());
        drop((folder, other));
        assert!(!is_held(&path) && !path.exists());
    }

    #[test]
    fn the_folder_of_a_killed_supervisor_is_removed_by_the_next() {
        let parent = tempfile::tempdir().unwrap();
        let remnant = parent.path().join(format!("{PREFIX}killed"));
        let unfinished = parent.path().join(format!("{PREFIX}starting"));
        let others = parent.path().join("others");
        for dir in [&remnant, &unfinished, &others] {
            fs::create_dir(dir).unwrap();
        }
        for dir in [&remnant, &others] {
            fs::write(dir.join(LOCK), "").unwrap();
        }
        remove_remnants(parent.path());
        assert!(!remnant.exists() && unfinished.is_dir() && others.is_dir());
    }
}
