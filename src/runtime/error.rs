//! Errors of running a plugin.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::inspect;
use crate::message::Explain;
use crate::policy::{Bytes, Quantity};
use crate::store::{self, Plugin};

/// The reason why a plugin could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The compilation reached a bound.
    #[error("{plugin}: {bound}, and was stopped")]
    Bound {
        /// The plugin.
        plugin: String,
        /// The bound.
        bound: Bound,
    },
    /// A variable of the environment is not a valid bound.
    #[error("{variable}: its value is not {example}")]
    Bounds {
        /// The variable.
        variable: &'static str,
        /// An example of a valid value.
        example: &'static str,
    },
    /// A folder of the cache cannot be used.
    #[error("{}: kwasm cannot use it", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// wasmtime does not compile the content.
    #[error("{plugin}: it does not compile: {reason}")]
    Compile {
        /// The plugin.
        plugin: String,
        /// wasmtime's message.
        reason: String,
    },
    /// An import cannot be resolved.
    #[error("{plugin}: it requires something that kwasm does not provide: {reason}")]
    Link {
        /// The plugin.
        plugin: String,
        /// wasmtime's message.
        reason: String,
    },
    /// The content could not be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The system lacks a resource that a run requires.
    #[error("cannot set up the run: {0}")]
    System(String),
    /// The content is not valid, or needs features that kwasm does not run.
    #[error("{plugin}")]
    Unfit {
        /// The plugin.
        plugin: String,
        /// The reason.
        source: inspect::Error,
    },
}

/// A bound that a compilation reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bound {
    /// The memory in bytes.
    Memory(u64),
    /// The time.
    Time(Duration),
}

/// The variables by which a user sets the bounds.
pub(super) const MEMORY: &str = "KWASM_COMPILE_MEMORY";

pub(super) const TIME: &str = "KWASM_COMPILE_TIME";

impl Explain for Error {
    fn subject(&self) -> Option<String> {
        match self {
            Self::Bound { plugin, .. }
            | Self::Compile { plugin, .. }
            | Self::Link { plugin, .. }
            | Self::Unfit { plugin, .. } => Some(plugin.clone()),
            Self::Bounds { variable, .. } => Some((*variable).to_owned()),
            Self::Cache { path, .. } => Some(path.display().to_string()),
            Self::Store(error) => error.subject(),
            Self::System(_) => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Bound { bound, .. } => bound.hint(),
            Self::Store(error) => error.hint(),
            Self::Unfit { source, .. } => source.hint(),
            Self::Bounds { .. }
            | Self::Cache { .. }
            | Self::Compile { .. }
            | Self::Link { .. }
            | Self::System(_) => None,
        }
    }
}

impl Error {
    pub(super) fn system(error: impl std::fmt::Display) -> Self {
        Self::System(error.to_string())
    }

    pub(super) fn compile(plugin: &Plugin, error: &wasmtime::Error) -> Self {
        Self::Compile { plugin: plugin.name().to_owned(), reason: in_one_line(error) }
    }

    pub(super) fn link(plugin: &str, error: &wasmtime::Error) -> Self {
        Self::Link { plugin: plugin.to_owned(), reason: in_one_line(error) }
    }
}

impl std::error::Error for Bound {}

impl Explain for Bound {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Memory(bytes) => {
                format!("{MEMORY}={} in the environment allows more", Quantity(bytes.saturating_mul(2)))
            }
            Self::Time(time) => format!("{TIME}={}s in the environment allows more", time.as_secs() * 2),
        })
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => write!(f, "compiling it takes more than {} of memory", Bytes(*bytes)),
            Self::Time(time) => write!(f, "compiling it takes longer than {} s", time.as_secs()),
        }
    }
}

/// Joins the lines of wasmtime's longer messages.
fn in_one_line(error: &wasmtime::Error) -> String {
    format!("{error:#}")
        .split('\n')
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}
