//! Fetches the bytes of a component and proves their digest. So far from files alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::reference::Digest;

/// Bytes, and the digest that was computed from just these bytes.
#[derive(Clone)]
pub struct Artifact {
    bytes: Bytes,
    digest: Digest,
}

/// Why no bytes came.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such file.
    #[error("{0}: there is no such file")]
    Missing(PathBuf),
    /// The file is too large to be a plugin.
    #[error("{path}: it has {size} bytes, and a plugin may have {LIMIT} at most")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// The file is there and cannot be read.
    #[error("{path}: it cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// The most bytes that a component may have: 1 GiB, over fifty times a Python interpreter.
pub const LIMIT: u64 = 1 << 30;

impl Artifact {
    /// Reads a file whole.
    ///
    /// # Errors
    /// When it is missing, unreadable, no file, or larger than [`LIMIT`].
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
            return Err(Error::TooLarge { path: path.into(), size: metadata.len() });
        }
        fs::read(path).map(Self::from_bytes).map_err(unreadable)
    }

    /// Takes bytes that are in memory.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::of(&bytes), bytes }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Their digest.
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
