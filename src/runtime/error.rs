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
    /// The system lets no memory be executed that a process has written to.
    #[error("this system does not let compiled code run: {0}")]
    Forbidden(String),
    /// A granted folder cannot be given to the plugin.
    #[error("{path}")]
    Folder {
        /// The path, as in the policy.
        path: String,
        /// The reason.
        source: FolderError,
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

/// The reason why a granted folder cannot be given to a plugin.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A link leads out of the base of its path, to this folder.
    #[error("a link on its way leads to {}", .0.display())]
    Elsewhere(PathBuf),
    /// Something that no plugin gets is there.
    #[error("it {position} {}, which {guard}", path.display())]
    Guarded {
        /// The folder or file that no plugin gets.
        path: PathBuf,
        /// The reason.
        guard: Guard,
        /// The position of the granted folder relative to it.
        position: Position,
    },
    /// The folder does not exist.
    #[error("this folder does not exist")]
    Missing(PathBuf),
    /// The variable that names its base is not set.
    #[error("{0} is not set to an absolute path")]
    NoBase(&'static str),
    /// It is a file or a device.
    #[error("it is not a folder, and a plugin gets folders as a whole")]
    NotAFolder,
    /// The system does not let it be opened.
    #[error("it cannot be opened")]
    Unreadable(#[source] io::Error),
}

/// The reason why no plugin gets a file or folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Guard {
    /// It holds credentials.
    Credentials,
    /// It belongs to kwasm.
    Kwasm,
    /// It holds programs, which a plugin must not replace.
    Programs,
    /// It is the system's view of its processes and devices.
    System,
}

/// The position of a folder relative to a guarded one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Position {
    /// It contains it.
    Contains,
    /// It is the same.
    Same,
    /// It lies in it.
    Within,
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

/// The variable by which a user sets when plugins are optimized.
pub(super) const COMPILE: &str = "KWASM_COMPILE";

impl Explain for Error {
    fn subject(&self) -> Option<String> {
        match self {
            Self::Bound { plugin, .. }
            | Self::Compile { plugin, .. }
            | Self::Link { plugin, .. }
            | Self::Unfit { plugin, .. } => Some(plugin.clone()),
            Self::Bounds { variable, .. } => Some((*variable).to_owned()),
            Self::Cache { path, .. } => Some(path.display().to_string()),
            Self::Folder { path, .. } => Some(path.clone()),
            Self::Store(error) => error.subject(),
            Self::Forbidden(_) | Self::System(_) => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Bound { bound, .. } => bound.hint(),
            Self::Forbidden(_) => Some("kwasm doctor shows how it is allowed".to_owned()),
            Self::Folder { path, source } => source.hint(path),
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
        match Self::loaded(error) {
            Self::System(reason) => Self::Compile { plugin: plugin.name().to_owned(), reason },
            forbidden => forbidden,
        }
    }

    /// Returns the error of code that is not made to run.
    pub(super) fn loaded(error: &wasmtime::Error) -> Self {
        // The words of wasmtime 48.0.8, which has no type for it.
        if error.chain().any(|cause| cause.to_string() == "failed to make memory executable") {
            return Self::Forbidden(error.root_cause().to_string());
        }
        Self::System(in_one_line(error))
    }

    pub(super) fn unfit(plugin: &Plugin, source: inspect::Error) -> Self {
        Self::Unfit { plugin: plugin.name().to_owned(), source }
    }

    pub(super) fn link(plugin: &str, error: &wasmtime::Error) -> Self {
        Self::Link { plugin: plugin.to_owned(), reason: in_one_line(error) }
    }
}

impl FolderError {
    /// Returns what to do about it, for the folder that a policy calls `path`.
    fn hint(&self, path: &str) -> Option<String> {
        Some(match self {
            Self::Elsewhere(_) => "name that folder in the policy, if the plugin may have it".to_owned(),
            Self::Guarded { position: Position::Contains, .. } if path == "." => {
                "start the plugin in another folder, or grant it one below this".to_owned()
            }
            Self::Guarded { position: Position::Contains, .. } => {
                "grant a folder below it, the one that the plugin needs".to_owned()
            }
            Self::Guarded { .. } => "copy what the plugin needs into another folder".to_owned(),
            Self::Missing(path) => format!("mkdir -p {}", shell(path)),
            Self::NoBase(variable) => format!("set {variable}, or grant the folder by its absolute path"),
            Self::NotAFolder => {
                "grant the folder that contains it, or move it into one of its own".to_owned()
            }
            Self::Unreadable(_) => return None,
        })
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credentials => "may hold credentials",
            Self::Kwasm => "belongs to kwasm",
            Self::Programs => "may hold programs that you run",
            Self::System => "belongs to the system",
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contains => "contains",
            Self::Same => "is",
            Self::Within => "lies in",
        })
    }
}

/// Quotes a path for a shell if it has to be, so that a command can be pasted.
fn shell(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@%,".contains(c));
    if is_plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
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
