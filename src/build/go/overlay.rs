//! The overlay of a build: files that the toolchain reads in place of others, so that neither the toolchain
//! nor the project is changed (`go help build`, `-overlay`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Fault;
use super::data;
use super::toolchain::Go;
use crate::build::Error;
use crate::platform::disk::Scratch;

/// Files in place of others. What is read in their place is in a temporary folder.
pub(super) struct Overlay<'a> {
    scratch: &'a Scratch,
    files: Replaced,
}

/// The document that `-overlay` reads.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Replaced {
    replace: BTreeMap<PathBuf, PathBuf>,
}

impl<'a> Overlay<'a> {
    /// Returns an overlay with the changes of the standard library of a toolchain.
    ///
    /// # Errors
    /// [`Fault::Foreign`] if the standard library is not as expected.
    pub(super) fn of_standard_library(go: &Go<'_>, scratch: &'a Scratch) -> Result<Self, Error> {
        let mut overlay = Self { scratch, files: Replaced::default() };
        let root = go.settings.goroot.join("src");
        for (below, content) in data::ADDED {
            overlay.put(joined(&root, below), content.as_bytes())?;
        }
        let mut changed = BTreeMap::<PathBuf, String>::new();
        for edit in data::edits()?.iter().filter(|edit| edit.is_for(go.release)) {
            let path = joined(&root, &edit.file);
            let text = match changed.remove(&path) {
                Some(text) => text,
                None => fs::read_to_string(&path)
                    .map_err(|source| Fault::Unreadable { path: path.clone(), source })?,
            };
            let text = edit.apply(&text).map_err(|count| Fault::Foreign {
                path: path.clone(),
                version: go.version().to_owned(),
                count,
            })?;
            changed.insert(path, text);
        }
        for (path, text) in changed {
            overlay.put(path, text.as_bytes())?;
        }
        Ok(overlay)
    }

    /// Puts a content in place of a file, which need not exist.
    pub(super) fn put(&mut self, path: PathBuf, content: &[u8]) -> Result<(), Error> {
        let name = path.file_name().unwrap_or_default();
        let below = Path::new("overlay").join(self.files.replace.len().to_string()).join(name);
        let place = write(self.scratch, &below, content)?;
        self.files.replace.insert(path, place);
        Ok(())
    }

    /// Returns the argument of `go` for the overlay as it is now.
    pub(super) fn argument(&self) -> Result<String, Error> {
        let text = serde_json::to_vec(&self.files).map_err(|error| Error::Temporary {
            path: self.scratch.join("overlay.json"),
            source: error.into(),
        })?;
        Ok(format!("-overlay={}", write(self.scratch, Path::new("overlay.json"), &text)?.display()))
    }
}

/// Returns a path that is given with slashes, below a folder.
pub(super) fn joined(root: &Path, below: &str) -> PathBuf {
    root.join(below.split('/').collect::<PathBuf>())
}

/// Writes a temporary file.
pub(super) fn write(scratch: &Scratch, below: &Path, content: &[u8]) -> Result<PathBuf, Error> {
    let failed = |source| Error::Temporary { path: scratch.join(below), source };
    scratch.write(below, content).map_err(failed)
}
