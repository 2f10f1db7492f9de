//! The errors of the store.

use std::io;
use std::path::{Path, PathBuf};

use crate::inspect;
use crate::message::Explain;
use crate::platform::shell;
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
    /// The audit log of a plugin cannot be written.
    #[error("{}: the audit log cannot be written", path.display())]
    Audit {
        /// The log or its folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
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

impl Explain for Error {
    fn subject(&self) -> Option<String> {
        match self {
            Self::Unknown(_) => None,
            Self::InTheWay(path)
            | Self::LinkTaken(path)
            | Self::Altered { path, .. }
            | Self::Audit { path, .. }
            | Self::Io { path, .. }
            | Self::Receipt { path, .. } => Some(path.display().to_string()),
            Self::Gone(plugin) => Some(plugin.clone()),
            Self::Unfit { path, .. } => Some(path.clone()),
            Self::Fetch(error) => error.subject(),
            Self::Remains { name, .. } => Some(name.to_string()),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unfit { source, .. } => return source.hint(),
            Self::Fetch(error) => return error.hint(),
            Self::Unknown(_) => "kwasm list shows what is installed".to_owned(),
            Self::LinkTaken(_) => "choose another name: kwasm install FILE --as NAME".to_owned(),
            Self::InTheWay(path) => format!("move it away: {}", shell::set_aside(path)),
            Self::Remains { .. } => "kwasm doctor removes it, or reports why it cannot".to_owned(),
            Self::Receipt { path, .. } => {
                // A receipt is in the folder that has the plugin's name.
                let name = path.parent().and_then(Path::file_name).unwrap_or_default().display();
                format!("install it again, or remove it: kwasm uninstall {name}")
            }
            Self::Audit { path, source } => {
                return for_room(path, source)
                    .or_else(|| Some("kwasm audit --off NAME lets a plugin run without one".to_owned()));
            }
            Self::Io { path, .. } if self.is_forbidden() => for_reading(path),
            Self::Io { path, source, .. } => return for_writing(path, source),
            Self::Altered { .. } | Self::Gone(_) => "install it again: kwasm install FILE".to_owned(),
        })
    }
}

/// Returns what helps where a file of a store may not be read: it is two folders below its root.
fn for_reading(path: &Path) -> String {
    let root = path.ancestors().nth(3).unwrap_or(path).display();
    format!("its owner can let everyone run it: chmod -R a+rX {root}; KWASM_HOME names another store")
}

fn for_writing(path: &Path, error: &io::Error) -> Option<String> {
    let folder = folder_of(path).display();
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(format!(
            "ls -ld {folder} shows who may write there; KWASM_HOME, and KWASM_BIN_DIR for links, set another folder"
        )),
        _ => for_room(path, error),
    }
}

/// Returns what helps where a disk has no room for a file.
pub(crate) fn for_room(path: &Path, error: &io::Error) -> Option<String> {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    full.then(|| format!("free some space on its disk: df -h {}", folder_of(path).display()))
}

/// Returns the folder of a file, as a command names it.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
