//! The ways in which a plugin fails.

use kube_guest::{BadPath, Error, Unknown};
use std::fmt::{self, Display};
use std::io;

/// The reason why a plugin ends early.
#[derive(Debug)]
pub enum Failure {
    /// A mistake on the command line, `what: why`: exit code 2, with the usage.
    Usage(String),
    /// Anything else: exit code 1.
    Message {
        /// One line, `what: why`.
        what: String,
        /// What may help.
        hint: Option<String>,
    },
    /// Standard output takes no more. A closed pipe is no failure.
    Output(io::Error),
    /// Everything was said; only the exit code is left.
    Code(u8),
}

impl Failure {
    /// Returns a mistake on the command line.
    #[must_use]
    pub fn usage(why: impl Into<String>) -> Self {
        Self::Usage(why.into())
    }

    /// Returns a failure of one line, `what: why`.
    #[must_use]
    pub fn message(what: impl Into<String>) -> Self {
        Self::Message { what: what.into(), hint: None }
    }

    /// Adds what may help, unless something does already.
    #[must_use]
    pub fn with_hint(self, help: impl Into<String>) -> Self {
        match self {
            Self::Message { what, hint } => Self::Message { what, hint: hint.or_else(|| Some(help.into())) },
            other => other,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) | Self::Message { what, .. } => f.write_str(what),
            Self::Output(error) => error.fmt(f),
            Self::Code(code) => write!(f, "exit code {code}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Message { hint: hint(&error), what: error.to_string() }
    }
}

impl From<Unknown> for Failure {
    fn from(error: Unknown) -> Self {
        Error::from(error).into()
    }
}

impl From<BadPath> for Failure {
    fn from(error: BadPath) -> Self {
        Error::from(error).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Returns what helps against an error of the cluster.
fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Status(status) if status.code == 403 && !status.is_denied() => Some(
            "the cluster's RBAC does not allow this to your user; `kubectl auth can-i --list` shows what it allows".to_owned(),
        ),
        Error::Status(status) if status.code == 401 => {
            Some("the cluster does not know your user: log in again".to_owned())
        }
        Error::Resource(_) => Some("`kubectl api-resources` lists what the server has".to_owned()),
        _ => None,
    }
}

/// Says of an error what it is about.
pub trait Explain<T> {
    /// Turns an error into a [`Failure`] that begins with `what`.
    ///
    /// # Errors
    ///
    /// The error itself.
    fn of(self, what: impl Display) -> Result<T, Failure>;
}

impl<T> Explain<T> for Result<T, Error> {
    fn of(self, what: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::Message { hint: hint(&error), what: format!("{what}: {error}") })
    }
}
