//! `kwasm build [PACKAGE] [-o FILE] [--request FILE] [-- ARG…]`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::build::{self, Built};
use crate::environment::Environment;
use crate::inspect::Inspected;
use crate::platform::disk;
use crate::platform::stdio::Stdout;
use crate::registry::{self, Artifact, LIMIT};
use crate::store::folder_of;

use super::embed::Request;
use super::save::STREAM;
use super::{Ending, Error, Reporter};

/// The options of the command.
pub(super) struct Wish {
    pub(super) project: build::Wish,
    /// The file to write; named as the program if `None`.
    pub(super) output: Option<PathBuf>,
    pub(super) request: Option<PathBuf>,
}

pub(super) fn build(environment: &Environment, reporter: Reporter, wish: &Wish) -> Result<Ending, Error> {
    let Wish { project, output, request } = wish;
    // Everything that can be known to fail before minutes of compiling.
    let is_stream = output.as_deref() == Some(Path::new(STREAM));
    if is_stream && environment.terminal {
        return Err(Error::Terminal { what: "a component", command: "kwasm build -o FILE" });
    }
    if let Some(path) = output.as_ref().filter(|path| !is_stream && !folder_of(path).is_dir()) {
        return Err(Error::Unwritten { path: path.clone(), source: io::ErrorKind::NotFound.into() });
    }
    let request = match request {
        Some(file) => Some(file.clone()),
        None => build::request(project)?,
    };
    let request = request.as_deref().map(Request::read).transpose()?;
    let Built { name, component } = match build::build(environment, project) {
        Err(build::Error::Interrupted) => return Ok(Ending::Interrupted),
        built => built?,
    };
    let place = match output {
        Some(place) => place.clone(),
        None => file(&name).ok_or_else(|| build::Error::Name(name.clone()))?,
    };
    let mut content = Artifact::from_bytes(component);
    if let Some(request) = request {
        content = request.embed(&place, &content)?;
    }
    let unfit = |source| Error::Inspect { path: place.display().to_string(), source };
    Inspected::read(content.bytes()).map_err(unfit)?;
    let size = content.bytes().len() as u64;
    if size > LIMIT {
        return Err(registry::Error::TooLarge { what: place.display().to_string(), size }.into());
    }
    if is_stream {
        return Stdout.write_all(content.bytes()).map_err(Error::Stdout).map(|()| Ending::Done);
    }
    disk::output(&place, content.bytes())
        .map_err(|source| Error::Unwritten { path: place.clone(), source })?;
    reporter.note(&format!("built {} ({})", place.display(), megabytes(size)));
    reporter.hint(&format!("kwasm run {} -- ARG…", as_source(&place)));
    Ok(Ending::Done)
}

/// Returns the file for a program, or `None` if its name, which the project states, would be another folder's.
fn file(program: &str) -> Option<PathBuf> {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\' | ':');
    let is_name = program.chars().all(is_plain) && !matches!(program, "" | "." | "..");
    is_name.then(|| format!("{}.wasm", plugin(program)).into())
}

/// Returns the plugin's name in a program's: kubectl runs the plugin `x` by a program `kubectl-x`.
fn plugin(program: &str) -> &str {
    program.strip_prefix("kubectl-").unwrap_or(program)
}

/// Returns a path as `kwasm run` accepts it: a bare name would be an installed plugin's.
fn as_source(place: &Path) -> String {
    let is_path = place.is_absolute() || place.starts_with(".") || place.starts_with("..");
    if is_path { place.display().to_string() } else { Path::new(".").join(place).display().to_string() }
}

fn megabytes(size: u64) -> String {
    format!("{}.{} MB", size / 1_000_000, size / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_is_named_as_run_takes_it() {
        let bare = if cfg!(windows) { r".\x.wasm" } else { "./x.wasm" };
        for (place, source) in [("x.wasm", bare), ("./x.wasm", "./x.wasm"), ("../x.wasm", "../x.wasm")] {
            assert_eq!(as_source(Path::new(place)), source);
        }
        assert_eq!(megabytes(58_449_999), "58.4 MB");
        assert_eq!(file("kubectl-größe"), Some("größe.wasm".into()));
        for elsewhere in ["../x", "/x", "a/b", r"a\b", "C:x", "a\nb", "..", ""] {
            assert_eq!(file(elsewhere), None, "{elsewhere:?}");
        }
        assert_eq!([plugin("kubectl-tree"), plugin("tree")], ["tree", "tree"]);
    }
}
