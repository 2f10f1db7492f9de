//! Why the store could not do what it was asked.

use std::io;
use std::path::PathBuf;

use crate::inspect;
use crate::reference::{Digest, PluginName};
use crate::registry;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no plugin of this name.
    #[error("no plugin `{0}` is installed")]
    Unknown(PluginName),
    /// A file where a folder is needed.
    #[error("{}: it is not a folder, and kwasm needs one there", .0.display())]
    InTheWay(PathBuf),
    /// A link's place is taken by something that is not ours.
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
    /// An installed plugin without its content.
    #[error("{0}: its component is missing from kwasm's folder")]
    Gone(String),
    /// A file no longer has the content it was proven to have.
    #[error("{}: its content has changed: it was {was} and is {is}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What it was.
        was: Digest,
        /// What it is.
        is: Digest,
    },
    /// Nothing that can run.
    #[error("{path}")]
    Unfit {
        /// The file.
        path: String,
        /// The reason.
        source: inspect::Error,
    },
    /// The bytes could not be had.
    #[error(transparent)]
    Fetch(#[from] registry::Error),
    /// What was asked for is done, and what is not needed any more is still there.
    #[error("{name}: it is {done}, but what it left could not be removed")]
    Remains {
        /// The plugin.
        name: PluginName,
        /// What was done to it.
        done: &'static str,
        /// The reason.
        source: Box<Error>,
    },
    /// The file system said no.
    #[error("{}: {what}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What was being done.
        what: &'static str,
        /// The reason.
        source: io::Error,
    },
}

impl Error {
    /// Whether it is that another user's file may not be read.
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

/// What is said of a file that cannot be read.
pub(super) const UNREAD: &str = "it cannot be read";
