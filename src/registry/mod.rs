//! Fetches the bytes of a component and proves their digest: from files, OCI registries and package registries.
//!
//! ```text
//! Source ─► Registries::find ─► Found (a manifest, proven) ─► Registries::fetch ─► Artifact (bytes, proven)
//!            packages, tags                                    transfer
//!                              └► Registries::signatures ─► Evidence ─► trust
//! ```

mod connection;
mod credentials;
mod hint;
mod host;
mod manifest;
mod packages;
mod publish;
mod push;
mod referrers;
mod settings;
pub mod signature;
mod tags;
mod token;
mod transfer;
pub mod trust;
mod versions;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

pub use self::connection::Obstacle;
pub use self::credentials::logins;
pub use self::manifest::{Descriptor, Manifest};
pub use self::publish::{Interface, Published, Release};
pub use self::referrers::Signature;
pub use self::versions::{Found, Registries};
use crate::reference::Digest;

/// Bytes, and the digest that was computed from just these bytes.
#[derive(Clone)]
pub struct Artifact {
    bytes: Bytes,
    digest: Digest,
}

/// Is told how far a transfer is.
pub trait Watcher: Send + Sync {
    /// Something happened.
    fn saw(&self, step: Step);
}

/// A step of a transfer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// So much of it is here.
    Received {
        /// The bytes that are.
        bytes: u64,
        /// All there will be.
        of: u64,
    },
}

/// Why no bytes came.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The content is other than its manifest says.
    #[error("{reference}: the content is not what its manifest names: {is} instead of {named}")]
    Altered {
        /// The artifact.
        reference: String,
        /// What was to come.
        named: Digest,
        /// What came.
        is: Digest,
    },
    /// The registry answers in a way that helps nobody.
    #[error("{host}: {what}")]
    Answer {
        /// The registry.
        host: String,
        /// How.
        what: String,
    },
    /// The registry answers with a status that helps nobody.
    #[error("{host}: it answers {path}: {status}{said}")]
    Status {
        /// The registry.
        host: String,
        /// What was asked for.
        path: String,
        /// The answer.
        status: http::StatusCode,
        /// What it says beside it, after a colon.
        said: String,
    },
    /// The credentials for a registry cannot be had.
    #[error("{}: the login for {server} cannot be read: {what}", path.display())]
    Credentials {
        /// The file that should have them.
        path: PathBuf,
        /// The registry.
        server: String,
        /// Why not.
        what: String,
        /// The program that was to be asked for them.
        helper: Option<Box<str>>,
    },
    /// The connection broke again and again.
    #[error("{reference}: after {received} of {size} bytes the transfer could not continue: {what}")]
    CutOff {
        /// The artifact.
        reference: String,
        /// The bytes that came.
        received: u64,
        /// All there are.
        size: u64,
        /// How it broke last.
        what: String,
    },
    /// The registry gives it to others only.
    #[error("{repository}: the registry refuses: {what}")]
    Denied {
        /// Registry and repository.
        repository: String,
        /// As whom it was asked, and its own words.
        what: String,
        /// The host to log in at.
        login: String,
        /// What kept a login from being known, where one may be there.
        unknown: Option<Arc<Error>>,
    },
    /// There is no such artifact.
    #[error("{0}: the registry has no such artifact")]
    NotFound(String),
    /// No host can be called so.
    #[error("{host}: {what}")]
    Host {
        /// The name.
        host: String,
        /// Why not.
        what: String,
    },
    /// The content is longer or shorter than its manifest says.
    #[error("{reference}: its manifest names {named} bytes, and the registry has {found}")]
    Length {
        /// The artifact.
        reference: String,
        /// As many were to come.
        named: u64,
        /// As many came, at least.
        found: u64,
    },
    /// The artifact's one layer is of a type that says nothing of WebAssembly.
    #[error("{reference}: its layer is {media_type}, and not {}", manifest::LAYER)]
    Layer {
        /// The artifact.
        reference: String,
        /// What its layer is, as whoever pushed it says.
        media_type: String,
    },
    /// The manifest is not one of a plugin.
    #[error("{reference}: {what}")]
    Manifest {
        /// The artifact.
        reference: String,
        /// What it is.
        what: String,
    },
    /// There is no such file.
    #[error("{0}: there is no such file")]
    Missing(PathBuf),
    /// Nobody says where a namespace is.
    #[error("no registry is known for packages of `{namespace}`")]
    NoRegistry {
        /// The namespace.
        namespace: String,
    },
    /// A package has no such version.
    #[error("{package}: it has no such version")]
    NoVersion {
        /// The package and the version that was wanted.
        package: String,
        /// Some that it has, the newest first.
        known: Vec<String>,
    },
    /// The tag is for what refers to an artifact, not for that artifact.
    #[error(
        "{reference}: such a tag is reserved for what refers to {subject}, e.g. its signatures, and not for a plugin"
    )]
    Referrers {
        /// Registry, repository and tag.
        reference: String,
        /// To what.
        subject: Digest,
        /// What was meant.
        artifact: String,
    },
    /// The registry did not take what was pushed.
    #[error("{reference}: it cannot be published: {what}")]
    Push {
        /// The artifact.
        reference: String,
        /// Why not.
        what: String,
    },
    /// A version that is there already, with other content.
    #[error("{0}: this version is published already, with other content")]
    Published(String),
    /// The configuration of package registries cannot be used.
    #[error("the configuration of package registries: {what}")]
    Settings {
        /// Why not.
        what: String,
    },
    /// The system does not give what it takes to ask a registry.
    #[error("cannot set up requests to registries")]
    System(#[source] io::Error),
    /// It is too large to be a plugin.
    #[error("{what}: it has {size} bytes, and a plugin may have {LIMIT} at most")]
    TooLarge {
        /// The file or the artifact.
        what: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The registry cannot be reached, or another host that it needs.
    #[error("{host}: it cannot be reached{what}")]
    Unreachable {
        /// The host.
        host: String,
        /// The registry by whose configuration the host is reached.
        registry: String,
        /// Through which proxy, if one was to lead there, and behind a colon why not.
        what: String,
        /// What of that is known to have a cure.
        obstacle: Obstacle,
    },
    /// A login page or a proxy answers in place of the registry.
    #[error(
        "{host}: it answers with a web page: it is not a registry, or something in between answers for it"
    )]
    WebPage {
        /// The registry.
        host: String,
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

/// The most bytes that a component may have: 256 MiB, over ten times a Python interpreter.
pub const LIMIT: u64 = 256 << 20;

impl Error {
    /// Whether it is that a file of this machine may not be read.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}

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
            return Err(Error::TooLarge { what: path.display().to_string(), size: metadata.len() });
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
