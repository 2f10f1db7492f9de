//! Errors of records.

use std::io;
use std::path::PathBuf;

use super::{LARGEST, VERSION};
use crate::message::Explain;

/// The reason why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: it cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The traffic of a run is more than a record may have.
    #[error("{}: it was not written: a record has at most {} MiB, and this run has more traffic", .0.display(), LARGEST >> 20)]
    Full(PathBuf),
    /// The file is larger than a record may be.
    #[error("{}: it is larger than {} MiB", .0.display(), LARGEST >> 20)]
    Large(PathBuf),
    /// A line is not valid.
    #[error("{}:{line}: {what}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The fault.
        what: String,
    },
    /// The file is of another version, or not a record at all.
    #[error("{}: it is not a record of version {VERSION}", .0.display())]
    Version(PathBuf),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::File { path, source } if source.kind() == io::ErrorKind::PermissionDenied => {
                format!("ls -l {} shows who may read it", path.display())
            }
            Self::File { path, .. } | Self::Line { path, .. } | Self::Large(path) | Self::Version(path) => {
                format!("record it again: kwasm run --record {} SOURCE -- ARG…", path.display())
            }
            Self::Full(_) => "record a shorter run, or one that reads less".to_owned(),
        })
    }

    fn subject(&self) -> Option<String> {
        Some(match self {
            Self::Line { path, line, .. } => format!("{}:{line}", path.display()),
            Self::File { path, .. } | Self::Full(path) | Self::Large(path) | Self::Version(path) => {
                path.display().to_string()
            }
        })
    }
}
