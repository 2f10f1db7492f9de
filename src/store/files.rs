//! File operations whose errors name the file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::Error;
use super::error::UNREAD;
use crate::platform::disk::{self, Staged};

/// Returns a function that wraps an error of a file or folder.
pub(super) fn failed(path: &Path, what: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| {
        let there = path.ancestors().find(|path| fs::symlink_metadata(path).is_ok());
        match there.filter(|path| !path.is_dir()) {
            Some(there) if source.kind() == io::ErrorKind::NotADirectory => Error::InTheWay(there.into()),
            _ => Error::Io { path: path.into(), what, source },
        }
    }
}

/// Creates a folder and its ancestors.
pub(super) fn folders(path: &Path) -> Result<(), Error> {
    disk::folders(path).map_err(failed(path, "the folder cannot be made"))
}

/// Replaces a file so that readers see the old or the new content, even after a power cut.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    folders_to(path)?;
    disk::replace_public(path, content).map_err(write_failed(path))
}

/// Writes a complete file that is still to be moved to its place.
pub(super) fn stage(path: &Path, content: &[u8]) -> Result<Staged, Error> {
    folders_to(path)?;
    Staged::write_public(path, content).and_then(Staged::sync).map_err(write_failed(path))
}

/// Returns a function that wraps an error of writing a file.
pub(super) fn write_failed(path: &Path) -> impl Fn(io::Error) -> Error {
    failed(path, "it cannot be written")
}

/// Returns a function that wraps an error of removing a file or folder.
pub(super) fn remove_failed(path: &Path) -> impl Fn(io::Error) -> Error {
    failed(path, "it cannot be removed")
}

/// Removes a file. A file that does not exist is not an error.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    disk::remove(path).map_err(remove_failed(path))
}

/// Removes a folder with the files in it. If it contains a folder, both stay.
pub(super) fn remove_folder(path: &Path) -> Result<(), Error> {
    for entry in disk::entries(path).map_err(read_failed(path))? {
        remove(&entry.path())?;
    }
    disk::remove_folder(path).map_err(remove_failed(path))
}

/// Returns a function that wraps an error of reading a file or folder.
pub(super) fn read_failed(path: &Path) -> impl Fn(io::Error) -> Error {
    failed(path, UNREAD)
}

/// Reads a file of at most `most` bytes.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut content = Vec::new();
    // A file can grow while it is read.
    if metadata.len() > most || file.take(most + 1).read_to_end(&mut content)? as u64 > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {most} bytes")));
    }
    Ok(content)
}

fn folders_to(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), folders)
}
