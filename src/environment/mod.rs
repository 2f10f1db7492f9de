//! The only reader of the environment, including argv: everything that a run learns from its surroundings.
//!
//! It contains kubectl's connection flags too, since they are among a plugin's arguments.

mod called;
mod connection;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::PathBuf;

pub use self::connection::{Connection, FLAGS as CONNECTION_FLAGS, Flag, MissingValue};
use crate::platform::{links, variable_name};

/// The surroundings of a run of kwasm, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The path of this program, e.g. `/usr/bin/kwasm`.
    pub program: PathBuf,
    /// The arguments, including the zeroth.
    pub arguments: Vec<OsString>,
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// Whether stdout is a terminal.
    pub terminal: bool,
    /// Whether stdin is a terminal.
    pub stdin_terminal: bool,
    /// The columns and lines of the terminal on stdout.
    pub terminal_size: Option<(u16, u16)>,
    /// The columns of the terminal on stderr, if it is one.
    pub columns: Option<u16>,
}

impl Environment {
    /// Reads the environment of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process() -> Self {
        #[cfg(feature = "faults")]
        crate::defence::take_away(&std::env::var("KWASM_WITHOUT").unwrap_or_default());
        Self {
            program: links::itself(std::env::current_exe().unwrap_or_default()),
            arguments: std::env::args_os().collect(),
            variables: std::env::vars_os().map(|(name, value)| (variable_name(name), value)).collect(),
            terminal: std::io::stdout().is_terminal(),
            stdin_terminal: std::io::stdin().is_terminal(),
            terminal_size: terminal_size::terminal_size().map(|(width, height)| (width.0, height.0)),
            columns: terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0),
        }
    }

    /// Returns the path of this program to which links may lead, since it stays when another version comes, e.g.
    /// `/home/linuxbrew/.linuxbrew/bin/kwasm`.
    #[must_use]
    pub fn program_as_called(&self) -> PathBuf {
        called::path(&self.program, &self.arguments, self.variable("PATH"))
    }

    /// Returns an environment variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        let name = variable_name(OsString::from(name));
        self.variables.get(&name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Returns an environment variable as a path.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from)
    }
}
