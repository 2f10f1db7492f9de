//! Keeps indexes of plugins: one file each, whose form is the catalogue's.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use super::{Error, Store, files};
use crate::platform::disk;
use crate::reference::IndexName;

/// The largest file of an index, in bytes: the index itself, and what is searched of it.
const LONGEST: u64 = 256 << 20;

/// The number of bytes that are read at once.
const PIECE: usize = 256 << 10;

impl Store {
    /// Keeps an index, in place of any of this name.
    ///
    /// # Errors
    /// If it cannot be written; then the previous one stays.
    pub fn keep_index(&self, name: &IndexName, content: &[u8]) -> Result<(), Error> {
        let _lock = self.lock()?;
        let folder = self.places.indexes();
        // Of processes that were killed: no other writes here, as long as the lock is held.
        disk::remove_abandoned(&folder).map_err(files::remove_failed(&folder))?;
        files::replace(&self.places.index(name), content)
    }

    /// Returns the content of an index that is kept, or `None` if there is none of this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn index(&self, name: &IndexName) -> Result<Option<Vec<u8>>, Error> {
        let path = self.places.index(name);
        match files::read(&path, LONGEST) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(files::read_failed(&path)(error)),
        }
    }

    /// Returns an index that is kept as far as its first empty line, before which is all that is searched, or
    /// `None` if there is none of this name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn index_lead(&self, name: &IndexName) -> Result<Option<Vec<u8>>, Error> {
        let path = self.places.index(name);
        let read = || -> io::Result<Vec<u8>> {
            let file = File::open(&path)?;
            let mut file = BufReader::with_capacity(PIECE, file.take(LONGEST));
            let mut lead = Vec::new();
            while file.read_until(b'\n', &mut lead)? > 1 {}
            Ok(lead)
        };
        match read() {
            Ok(lead) => Ok(Some(lead)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(files::read_failed(&path)(error)),
        }
    }

    /// Returns the names of all indexes that are kept, sorted.
    ///
    /// # Errors
    /// If their folder cannot be read.
    pub fn index_names(&self) -> Result<Vec<IndexName>, Error> {
        let folder = self.places.indexes();
        let entries = disk::entries(&folder).map_err(files::read_failed(&folder))?;
        let name = |file: &std::ffi::OsStr| file.to_str()?.strip_suffix(".index")?.parse().ok();
        let mut names: Vec<IndexName> = entries.iter().filter_map(|entry| name(&entry.file_name())).collect();
        names.sort();
        Ok(names)
    }

    /// Removes an index.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove_index(&self, name: &IndexName) -> Result<(), Error> {
        let _lock = self.lock()?;
        files::remove(&self.places.index(name))
    }
}
