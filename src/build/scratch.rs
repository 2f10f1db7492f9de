//! The folder of a build outside of the project: what a tool reads beside it, and what it writes.

use std::env;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::Error;

/// Creates an empty folder, which only this user may enter. It is removed when it is dropped.
///
/// # Errors
/// [`Error::Temporary`] if it cannot be created.
pub(super) fn folder() -> Result<TempDir, Error> {
    let created = tempfile::Builder::new().prefix("kwasm-build-").tempdir();
    created.map_err(|source| Error::Temporary { path: env::temp_dir(), source })
}

/// Reads the component that a tool wrote.
///
/// # Errors
/// [`Error::Unreadable`] if it is not there, although the tool succeeded.
pub(super) fn component(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })
}
