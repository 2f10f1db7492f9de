//! The input and the result of a build in any language.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use super::tools::Tools;

/// A build for one language.
pub(super) struct Job<'a> {
    pub(super) tools: &'a Tools,
    /// The folder in which the language's tools are called: in the project, at its root or below.
    pub(super) folder: PathBuf,
    /// The package, by a name that the language's tools know; the folder's own if `None`.
    pub(super) package: Option<&'a str>,
    /// The arguments for the language's build tool.
    pub(super) arguments: &'a [String],
}

/// A component that was built.
#[derive(Debug, Eq, PartialEq)]
pub struct Built {
    /// The name that the language's own tools give to the program.
    pub name: String,
    /// The component.
    pub component: Vec<u8>,
}

impl Built {
    /// Reads the component that a tool wrote.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if it is not there.
    pub(super) fn read(name: String, path: &Path) -> Result<Self, Error> {
        let component =
            fs::read(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        Ok(Self { name, component })
    }
}
