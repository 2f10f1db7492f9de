//! The attempts to optimize a plugin in the background: one at a time, and only a few if it never ends.
//!
//! ```text
//! <hex of the content>-<engine>.attempts  a byte for each attempt; locked while one is under way
//! turn.lock                               locked by the process whose turn it is to compile
//! ```

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::platform::disk;

/// The most attempts. One that reaches a bound, or is killed, would be as futile at each run.
const MOST: u64 = 3;

/// Attempts at one content, which no other process makes as long as this exists.
pub(super) struct Attempts {
    path: PathBuf,
    _lock: File,
    /// The turn to compile, which one process has at a time, for whichever content.
    _turn: File,
}

impl Attempts {
    /// Returns whether another attempt can be made: none is under way, and there were not too many.
    pub(super) fn are_left(path: &Path) -> bool {
        let few = fs::metadata(path).map_or(0, |metadata| metadata.len()) < MOST;
        few && File::open(path).map_or(true, |file| file.try_lock().is_ok())
    }

    /// Counts another attempt, and waits until no other plugin is compiled in the background. Returns `None` if one is under way
    /// for this content, or there were too many.
    ///
    /// # Errors
    /// If the folder cannot be written to, or its file system has no locks.
    pub(super) fn begin(path: &Path) -> io::Result<Option<Self>> {
        let mut lock = disk::lockable(path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        if lock.metadata()?.len() >= MOST {
            return Ok(None);
        }
        disk::extend(&mut lock, path, b".")?;
        let turn = disk::lock(&path.with_file_name("turn.lock"))?;
        Ok(Some(Self { path: path.to_owned(), _lock: lock, _turn: turn }))
    }

    /// Forgets the attempts, since one has succeeded.
    pub(super) fn end(self) -> io::Result<()> {
        disk::remove(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_is_made_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.attempts");
        assert!(Attempts::are_left(&path));
        let first = Attempts::begin(&path).unwrap().unwrap();
        assert!(!Attempts::are_left(&path));
        assert!(Attempts::begin(&path).unwrap().is_none());
        drop(first);
        assert!(Attempts::are_left(&path));
    }

    #[test]
    fn attempts_that_do_not_succeed_come_to_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.attempts");
        for _ in 0..MOST {
            assert!(Attempts::are_left(&path));
            assert!(Attempts::begin(&path).unwrap().is_some());
        }
        assert!(!Attempts::are_left(&path));
        assert!(Attempts::begin(&path).unwrap().is_none());
    }

    #[test]
    fn after_a_success_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.attempts");
        Attempts::begin(&path).unwrap().unwrap().end().unwrap();
        assert!(!path.exists());
    }
}
