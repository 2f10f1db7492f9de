//! Modules that do not compile for WASI, changed so that they do.
//!
//! An overlay may not replace files of the module cache. A module from there is copied, and the copy takes its
//! place in the build. Files of folders that belong to the user (of a replaced module, a workspace, or
//! `vendor`) are replaced by the overlay.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use semver::{Prerelease, Version, VersionReq};

use super::Fault;
use super::data::{self, StandIn};
use super::overlay::{Overlay, joined, write};
use super::packages::{Module, Package, Settled};
use crate::build::Error;
use crate::platform::disk::Scratch;

/// The largest number of times that packages are listed. A changed module may need another one that has to be
/// changed.
const ROUNDS: usize = 5;

/// Changes the modules of a program that have to be changed. Returns its packages.
pub(super) fn settle(
    settled: &Settled<'_>,
    overlay: &mut Overlay<'_>,
    scratch: &Scratch,
    pattern: &str,
) -> Result<Vec<Package>, Error> {
    let stand_ins = data::stand_ins()?;
    let mut done = BTreeSet::new();
    let mut packages = settled.packages(overlay, pattern)?;
    for _ in 0..ROUNDS {
        let mut changes = false;
        let used: BTreeSet<&Path> = packages.iter().map(|package| package.dir.as_path()).collect();
        for (module, root) in modules(&packages) {
            if done.contains(&module.path) {
                continue;
            }
            let of_module = stand_ins.iter().filter(|stand_in| stand_in.module == module.path);
            for stand_in in of_module.filter(|stand_in| is_for(stand_in, &module)) {
                let Some(files) = changed(stand_in, &root, &used)? else { continue };
                replace(settled, overlay, scratch, &module, &root, files)?;
                done.insert(module.path);
                changes = true;
                break;
            }
        }
        if !changes {
            break;
        }
        packages = settled.packages(overlay, pattern)?;
    }
    Ok(packages)
}

/// Returns the modules of packages, each with the folder that has its code.
fn modules(packages: &[Package]) -> Vec<(Module, PathBuf)> {
    let mut found = BTreeMap::new();
    for package in packages {
        let Some(module) = &package.module else { continue };
        let Some(below) = package.import_path.strip_prefix(&module.path) else { continue };
        // By the package's folder: of a module in `vendor`, Go names no folder.
        let depth = below.split('/').filter(|element| !element.is_empty()).count();
        if let Some(root) = package.dir.ancestors().nth(depth).filter(|root| root.is_absolute()) {
            found.entry(module.path.clone()).or_insert_with(|| (module.clone(), root.to_owned()));
        }
    }
    found.into_values().collect()
}

/// Returns whether a change is for the version of a module. A pseudo-version counts as the version on which it
/// is based, and a folder in place of a module has every version.
fn is_for(stand_in: &StandIn, module: &Module) -> bool {
    let Some(versions) = stand_in.versions.as_deref().and_then(|text| VersionReq::parse(text).ok()) else {
        return true;
    };
    let text = module.used().version.trim_start_matches('v');
    let Ok(version) = Version::parse(text) else { return true };
    versions.matches(&Version { pre: Prerelease::EMPTY, ..version })
}

/// Returns the changed files of a module, or `None` if it is not as expected or nothing has to change: only
/// packages that the program uses are changed, each in its folder.
fn changed(
    stand_in: &StandIn,
    root: &Path,
    used: &BTreeSet<&Path>,
) -> Result<Option<BTreeMap<PathBuf, String>>, Error> {
    let is_used = |file: &Path| file.parent().is_some_and(|folder| used.contains(folder));
    let mut files = BTreeMap::<PathBuf, String>::new();
    for edit in &stand_in.edits {
        let path = joined(root, &edit.file);
        if !is_used(&path) {
            continue;
        }
        let text = match files.remove(&path) {
            Some(text) => text,
            None if !path.is_file() => return Ok(None),
            None => fs::read_to_string(&path)
                .map_err(|source| Fault::Unreadable { path: path.clone(), source })?,
        };
        let Ok(text) = edit.apply(&text) else { return Ok(None) };
        files.insert(path, text);
    }
    for (name, content) in &stand_in.add {
        let path = joined(root, name);
        if path.exists() {
            return Ok(None);
        }
        if let Some(content) = data::content(content).filter(|_| is_used(&path)) {
            files.insert(path, content.to_owned());
        }
    }
    Ok((!files.is_empty()).then_some(files))
}

fn replace(
    settled: &Settled<'_>,
    overlay: &mut Overlay<'_>,
    scratch: &Scratch,
    module: &Module,
    root: &Path,
    files: BTreeMap<PathBuf, String>,
) -> Result<(), Error> {
    let go = settled.go;
    if !root.starts_with(&go.settings.gomodcache) {
        return files.into_iter().try_for_each(|(path, text)| overlay.put(path, text.as_bytes()));
    }
    let below = joined(Path::new("modules"), &module.path);
    let copy = scratch
        .copy(root, &below, "vendor")
        .map_err(|source| Error::Temporary { path: scratch.join(&below), source })?;
    for (path, text) in files {
        let Ok(file) = path.strip_prefix(root) else { continue };
        write(scratch, &below.join(file), text.as_bytes())?;
    }
    if !copy.join("go.mod").is_file() {
        // Of a module from before modules, Go has made one.
        let path = &module.used().go_mod;
        let text = fs::read(path).map_err(|source| Fault::Unreadable { path: path.clone(), source })?;
        write(scratch, &below.join("go.mod"), &text)?;
    }
    settled.versions.replace(go, &module.path, &module.version, &copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand_in(text: &str) -> StandIn {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn a_module_is_found_by_the_folder_of_any_of_its_packages() {
        let package = |import_path: &str, dir: &str| Package {
            import_path: import_path.to_owned(),
            dir: dir.into(),
            module: Some(Module { path: "example.com/m".to_owned(), ..Module::default() }),
            ..Package::default()
        };
        let root = if cfg!(windows) { "C:/cache/m@v1" } else { "/cache/m@v1" };
        for (import_path, below) in [("example.com/m", ""), ("example.com/m/a/b", "/a/b")] {
            let found = modules(&[package(import_path, &format!("{root}{below}"))]);
            assert_eq!(found[0].1, Path::new(root), "{import_path}");
        }
        // A package that was not found has no folder.
        assert!(modules(&[package("example.com/m/a", "")]).is_empty());
    }

    #[test]
    fn a_change_is_for_the_versions_that_it_names() {
        let module = |version: &str| Module { version: version.to_owned(), ..Module::default() };
        let old = stand_in("{module: m, versions: '<0.5.0'}");
        for (version, fits) in [
            ("v0.4.9", true),
            ("v0.5.0", false),
            ("v0.0.0-20220101000000-abcdefabcdef", true),
            ("v1.0.0+incompatible", false),
            ("", true),
        ] {
            assert_eq!(is_for(&old, &module(version)), fits, "{version}");
        }
        assert!(is_for(&stand_in("{module: m}"), &module("v9.0.0")));
    }

    #[test]
    fn a_module_that_is_not_as_expected_stays_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.go"), "package a // here").unwrap();
        let used = BTreeSet::from([root.path()]);
        let files = |text: &str| changed(&stand_in(text), root.path(), &used).unwrap();
        let edit = |file: &str, find: &str| {
            format!("{{module: m, edits: [{{file: {file}, find: {find}, replace: x}}]}}")
        };
        let found = files(&edit("a.go", "here")).unwrap();
        assert_eq!(found[&root.path().join("a.go")], "package a // x");
        assert!(files(&edit("a.go", "there")).is_none());
        assert!(files(&edit("b.go", "here")).is_none());
        assert!(files(&edit("unused/a.go", "here")).is_none());
        let name = data::stand_ins()
            .unwrap()
            .iter()
            .find_map(|stand_in| stand_in.add.values().next().cloned())
            .unwrap();
        let add = |file: &str| format!("{{module: m, add: {{{file}: '{name}'}}}}");
        assert_eq!(files(&add("b.go")).unwrap().len(), 1);
        assert!(files(&add("unused/b.go")).is_none());
        assert!(files(&add("a.go")).is_none());
    }
}
