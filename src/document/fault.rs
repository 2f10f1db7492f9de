//! The faults of a document, and their positions.

use std::fmt;

use crate::message::{Explain, Message, cut};

/// A fault of a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The file, as the user named it.
    pub file: String,
    /// The line, counted from 1. For a missing key, the line of the map that lacks it; `None` for the file as
    /// a whole.
    pub line: Option<u64>,
    /// The key, e.g. `spec.kubernetes.rules[0].verbs`; empty for the whole document, and for invalid YAML.
    pub key: String,
    /// The description of the fault.
    pub what: String,
    /// A hint about how to correct it.
    pub hint: String,
}

impl Fault {
    /// Returns a fault of a file as a whole.
    #[must_use]
    pub fn whole(file: impl Into<String>, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, key: String::new(), what: what.into(), hint: hint.into() }
    }

    /// Returns the messages of the faults of one command, up to a limit.
    #[must_use]
    pub fn messages(faults: &[Self]) -> Vec<Message> {
        cut(faults.iter().map(Self::message))
    }
}

impl std::error::Error for Fault {}

impl Explain for Fault {
    fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }

    fn subject(&self) -> Option<String> {
        Some(self.line.map_or_else(|| self.file.clone(), |line| format!("{}:{line}", self.file)))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// A kind of document.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    /// The value of its key `kind`, e.g. `Policy`.
    pub(crate) kind: &'static str,
    /// The name of the kind in messages, e.g. `a policy`.
    pub(crate) name: &'static str,
}

/// The faults of one file found so far.
pub(crate) struct Faults<'a> {
    file: &'a str,
    pub(super) format: Format,
    found: Vec<Fault>,
}

/// A position in a document.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) key: String,
    pub(crate) line: u64,
}

impl Place {
    /// Returns the position of the whole document.
    pub(super) fn root(line: u64) -> Self {
        Self { key: String::new(), line }
    }

    /// Returns the position of a key in the map at this one.
    pub(super) fn below(&self, key: &str, line: u64) -> Self {
        let dot = if self.key.is_empty() { "" } else { "." };
        Self { key: format!("{}{dot}{key}", self.key), line }
    }
}

impl<'a> Faults<'a> {
    /// Returns an empty list for a file, named `file` in messages.
    pub(crate) fn of(file: &'a str, format: Format) -> Self {
        Self { file, format, found: Vec::new() }
    }

    /// Returns the result, or all faults in the order of their lines.
    pub(crate) fn finish<T>(mut self, read: Option<T>) -> Result<T, Vec<Fault>> {
        match read {
            Some(read) if self.found.is_empty() => Ok(read),
            _ => {
                self.found.sort_by_key(|fault| fault.line);
                Err(self.found)
            }
        }
    }

    /// Adds a fault.
    pub(crate) fn add(&mut self, place: &Place, what: impl Into<String>, hint: impl Into<String>) {
        let Place { key, line } = place.clone();
        self.found.push(Fault {
            file: self.file.to_owned(),
            line: Some(line),
            key,
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// Returns the number of faults so far.
    pub(crate) fn number(&self) -> usize {
        self.found.len()
    }
}
