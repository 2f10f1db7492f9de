//! Bytes that are known by their digest.

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;

use super::error::{Error, LIMIT};
use crate::reference::Digest;

/// Bytes with the digest that was computed from them.
#[derive(Clone)]
pub struct Artifact {
    bytes: Bytes,
    digest: Digest,
}

impl Artifact {
    /// Reads a whole file.
    ///
    /// # Errors
    /// If it is missing, unreadable, not a file, or larger than [`LIMIT`].
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => Error::Missing(path.into()),
            _ => Error::Unreadable { path: path.into(), source },
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")));
        }
        if metadata.len() > LIMIT {
            return Err(Error::TooLarge { what: path.display().to_string(), size: metadata.len() });
        }
        fs::read(path).map(Self::from_bytes).map_err(unreadable)
    }

    /// Returns an artifact from bytes in memory.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::of(&bytes), bytes }
    }

    /// Takes bytes whose digest was computed while they came.
    pub(super) fn with_digest(bytes: Vec<u8>, digest: Digest) -> Self {
        Self { bytes: bytes.into(), digest }
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_with_its_digest() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "x").unwrap();
        let artifact = Artifact::from_file(file.path()).unwrap();
        assert_eq!(artifact.bytes(), "x");
        assert_eq!(artifact.digest(), Digest::of(b"x"));
    }

    #[test]
    fn what_is_no_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Artifact::from_file(folder.path()), Err(Error::Unreadable { .. })));
        assert!(matches!(Artifact::from_file(&folder.path().join("x")), Err(Error::Missing(_))));
    }

    #[test]
    fn a_file_that_no_plugin_could_be_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LIMIT + 1).unwrap();
        assert!(matches!(Artifact::from_file(file.path()), Err(Error::TooLarge { .. })));
    }
}
