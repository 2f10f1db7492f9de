//! A copy of the file that says which modules a program has: `go.mod` with `go.sum`, or `go.work`. The
//! toolchain reads and changes the copy, and the user's own stays as it is.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::Fault;
use super::overlay::write;
use super::toolchain::{Go, parsed};
use crate::build::Error;
use crate::build::tools::Call;
use crate::platform::disk::Scratch;

/// A copy of the file that says which modules a program has.
pub(super) enum Versions {
    /// Of a `go.mod`, with the `go.sum` beside it.
    Module(PathBuf),
    /// Of a `go.work`, with the `go.work.sum` beside it. With a workspace, `-modfile` is not possible.
    Workspace(PathBuf),
}

/// The parts of `go work edit -json` in which paths may be relative.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Workspace {
    r#use: Option<Vec<Used>>,
    replace: Option<Vec<Replacement>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Used {
    disk_path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replacement {
    old: ModuleVersion,
    new: ModuleVersion,
}

/// A module, or a folder in its place, which has no version.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModuleVersion {
    path: String,
    version: Option<String>,
}

impl Versions {
    /// Makes a copy for the folder in which the toolchain is called.
    pub(super) fn copy(go: &Go<'_>, scratch: &Scratch) -> Result<Self, Error> {
        if let Some(original) = go.workspace() {
            let copy = copied(scratch, original, "go.work")?;
            copied_if_there(scratch, &original.with_extension("work.sum"), "go.work.sum")?;
            settled(go, original, &copy)?;
            return Ok(Self::Workspace(copy));
        }
        let original = Path::new(&go.settings.gomod);
        let copy = copied(scratch, original, "kwasm.mod")?;
        copied_if_there(scratch, &original.with_extension("sum"), "kwasm.sum")?;
        Ok(Self::Module(copy))
    }

    /// Returns a call by which the toolchain uses the copy.
    pub(super) fn used_by(&self, call: Call) -> Call {
        match self {
            Self::Module(copy) => call.args([format!("-modfile={}", copy.display())]).env("GOWORK", "off"),
            Self::Workspace(copy) => call.env("GOWORK", copy),
        }
    }

    /// Replaces one version of a module by a folder.
    pub(super) fn replace(
        &self,
        go: &Go<'_>,
        module: &str,
        version: &str,
        folder: &Path,
    ) -> Result<(), Error> {
        let argument = format!("-replace={module}@{version}={}", folder.display());
        let (verb, copy) = match self {
            Self::Module(copy) => ("mod", copy),
            Self::Workspace(copy) => ("work", copy),
        };
        go.show(&go.call(verb).args(["edit", &argument]).args([copy]))
    }
}

/// Makes the paths of a copied `go.work` absolute, since they are relative to the folder of the original.
fn settled(go: &Go<'_>, original: &Path, copy: &Path) -> Result<(), Error> {
    let call = go.call("work").args(["edit", "-json"]).args([copy]);
    let workspace: Workspace = parsed(&call, &go.read(&call)?)?;
    let folder = original.parent().unwrap_or(original);
    let absolute = |path: &str| cleaned(&folder.join(path)).display().to_string();
    let mut changes = Vec::new();
    for Used { disk_path } in workspace.r#use.unwrap_or_default() {
        changes.extend([format!("-dropuse={disk_path}"), format!("-use={}", absolute(&disk_path))]);
    }
    for Replacement { old, new } in workspace.replace.unwrap_or_default() {
        if new.version.is_none() {
            let version = old.version.map(|version| format!("@{version}")).unwrap_or_default();
            changes.push(format!("-replace={}{version}={}", old.path, absolute(&new.path)));
        }
    }
    go.show(&go.call("work").args(["edit"]).args(changes).args([copy]))
}

/// Returns a path without `.` and `..`, as Go's `filepath.Clean` does: an absolute path of a `go.work` is only
/// found in that form.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(clean.pop()),
            component => clean.push(component),
        }
    }
    clean
}

fn copied(scratch: &Scratch, original: &Path, name: &str) -> Result<PathBuf, Error> {
    let unreadable = |source| Fault::Unreadable { path: original.to_owned(), source };
    write(scratch, Path::new(name), &fs::read(original).map_err(unreadable)?)
}

fn copied_if_there(scratch: &Scratch, original: &Path, name: &str) -> Result<(), Error> {
    match copied(scratch, original, name) {
        Err(Error::Go(Fault::Unreadable { source, .. })) if source.kind() == io::ErrorKind::NotFound => {
            Ok(())
        }
        copied => copied.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cleaned_as_go_does() {
        for (path, clean) in [("/a/./b", "/a/b"), ("/a/../b/", "/b"), ("/../a", "/a"), ("/a", "/a")] {
            assert_eq!(cleaned(Path::new(path)), Path::new(clean), "{path}");
        }
    }
}
