//! The errors of the store.

use std::io;
use std::path::PathBuf;

use crate::inspect;
use crate::reference::{Digest, PluginName};
use crate::registry;

/// The reason why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No plugin has this name.
    #[error("no plugin `{0}` is installed")]
    Unknown(PluginName),
    /// A file where a folder is needed.
    #[error("{}: it is not a folder, and kwasm needs one there", .0.display())]
    InTheWay(PathBuf),
    /// The place of a link is taken by a file that is not kwasm's.
    #[error("{}: it already exists and is not a link to kwasm", .0.display())]
    LinkTaken(PathBuf),
    /// The receipt cannot be understood.
    #[error("{}: the receipt is broken", path.display())]
    Receipt {
        /// The receipt.
        path: PathBuf,
        /// The reason.
        source: serde_json::Error,
    },
    /// An installed plugin's content is missing.
    #[error("{0}: its component is missing from kwasm's folder")]
    Gone(String),
    /// A file's content no longer has the digest that was proven.
    #[error("{}: its content has changed: it was {was} and is {is}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// The proven digest.
        was: Digest,
        /// The digest found.
        is: Digest,
    },
    /// A file that cannot run.
    #[error("{path}")]
    Unfit {
        /// The file.
        path: String,
        /// The reason.
        source: inspect::Error,
    },
    /// The bytes could not be fetched.
    #[error(transparent)]
    Fetch(#[from] registry::Error),
    /// The operation is done, but files that are no longer needed are still there.
    #[error("{name}: it is {done}, but what it left could not be removed")]
    Remains {
        /// The plugin.
        name: PluginName,
        /// The operation.
        done: &'static str,
        /// The reason.
        source: Box<Error>,
    },
    /// An error of the file system.
    #[error("{}: {what}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operation that failed.
        what: &'static str,
        /// The reason.
        source: io::Error,
    },
}

impl Error {
    /// Returns whether the error is that another user's file may not be read.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_forbidden(),
            Self::Io { what, source, .. } => {
                *what == UNREAD && source.kind() == io::ErrorKind::PermissionDenied
            }
            _ => false,
        }
    }
}

/// The text for a file that cannot be read.
pub(super) const UNREAD: &str = "it cannot be read";
