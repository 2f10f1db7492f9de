//! Writes a file so that whoever looks sees the old one or the new one, whenever the power goes.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::Error;
use crate::platform;

/// Writes `content` to `path`: under a temporary name first, synced, then renamed. Makes the folders on the way.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let write = || {
        let folder = replace(path, content, fs::File::sync_all)?;
        platform::sync_folder(folder)
    };
    write().map_err(|source| Error::Io { path: path.into(), what: "it cannot be written", source })
}

/// The same without waiting for the disk: for caches, whose loss costs nothing.
pub(super) fn write_soon(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, |_| Ok(())).map(drop)
}

fn replace<'a>(
    path: &'a Path,
    content: &[u8],
    sync: fn(&fs::File) -> io::Result<()>,
) -> io::Result<&'a Path> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Removes itself unless it is persisted.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    sync(file.as_file())?;
    file.persist(path)?;
    Ok(folder)
}

/// Removes a file; one that is gone already is as good as removed.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::Io { path: path.into(), what: "it cannot be removed", source })
        }
        _ => Ok(()),
    }
}
