//! The languages of projects.

use std::fmt;
use std::str::FromStr;

/// The languages of projects that can be built.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Language {
    /// Go: `go.mod`.
    Go,
    /// JavaScript: `package.json`.
    JavaScript,
    /// Python: `pyproject.toml`.
    Python,
    /// Rust: `Cargo.toml`.
    Rust,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Go, Self::JavaScript, Self::Python, Self::Rust];

    /// The names on the command line, in the same order.
    pub const NAMES: [&'static str; 4] = ["go", "js", "python", "rust"];

    /// Returns the file that makes a folder a project of the language.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Go => "go.mod",
            Self::JavaScript => "package.json",
            Self::Python => "pyproject.toml",
            Self::Rust => "Cargo.toml",
        }
    }

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::JavaScript => "js",
            Self::Python => "python",
            Self::Rust => "rust",
        }
    }
}

impl FromStr for Language {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|language| language.name() == text).ok_or(())
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Go => "Go",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::Rust => "Rust",
        })
    }
}
