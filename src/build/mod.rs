//! Makes a component of an author's project, by the tools of the project's own language.
//!
//! A build changes nothing of the project: what a language needs beyond its tools is in a temporary folder,
//! and the component is returned as bytes.

mod cargo;
mod error;
mod go;
mod job;
mod language;
mod manifest;
mod node;
mod project;
mod python;
mod tools;
mod wit;

use std::path::{Path, PathBuf};

pub use self::error::Error;
pub use self::go::Fault as GoFault;
pub use self::job::Built;
pub use self::language::Language;
pub use self::project::REQUEST;

use self::job::Job;
use self::project::Project;
use self::tools::Tools;
use crate::environment::Environment;

/// The options of a build.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wish {
    /// The package: a folder, or a name that the language's tools know; the current folder's if `None`.
    pub package: Option<String>,
    /// The language, if the project's files do not decide it.
    pub language: Option<Language>,
    /// The arguments for the language's build tool.
    pub arguments: Vec<String>,
}

/// Builds a component. Messages of the language's tools appear on stderr.
///
/// # Errors
/// If there is no project, or it cannot be built; [`Error::Interrupted`] if the user ends it.
pub fn build(environment: &Environment, wish: &Wish) -> Result<Built, Error> {
    let Wish { package, language, arguments } = wish;
    let tools = Tools::new(environment)?;
    let may_be_go = language.is_none_or(|language| language == Language::Go);
    let (path, name) = match package.as_deref() {
        Some(package) if is_path(package) => (Path::new(package), None),
        name => (Path::new("."), name),
    };
    let job = |folder: &Path| Job { tools: &tools, folder: folder.to_owned(), package: name, arguments };
    if let Some(module) = name.filter(|name| may_be_go && name.contains('@')) {
        return go::build_published(&job(path), module);
    }
    let Project { root, language } = Project::find(path, *language)?;
    match language {
        Language::Go => go::build(&job(path)),
        Language::JavaScript => node::build(&job(&root)),
        Language::Python => python::build(&job(&root)),
        Language::Rust => cargo::build(&job(path)),
    }
}

/// Returns the file of a project with the policy that its plugin asks for: the nearest [`REQUEST`], from the folder that is
/// built up to the project's root, or `None` if there is none.
///
/// # Errors
/// If there is no project, or its folder cannot be read.
pub fn request(wish: &Wish) -> Result<Option<PathBuf>, Error> {
    match wish.package.as_deref() {
        // Of a published program, nothing is here.
        Some(package) if package.contains('@') && !is_path(package) => Ok(None),
        Some(package) if is_path(package) => Project::request(Path::new(package), wish.language),
        _ => Project::request(Path::new("."), wish.language),
    }
}

/// Returns whether a package is given as a path: as Go's and npm's tools distinguish it from a name.
fn is_path(package: &str) -> bool {
    let path = Path::new(package);
    path.is_absolute() || path.starts_with(".") || path.starts_with("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_a_path_only_if_it_begins_like_one() {
        for path in [".", "./cmd/x", "..", "../x", if cfg!(windows) { r"C:\x" } else { "/x" }] {
            assert!(is_path(path), "{path}");
        }
        for name in ["x", "cmd/x", "example.com/x@v1.2.3", ".x", "...", "@scope/x"] {
            assert!(!is_path(name), "{name}");
        }
    }
}
