//! Lookup of programs: Go's `exec.LookPath` and `filepath.Clean`, by which client-go finds and compares
//! credential plugins.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf, is_separator};

/// Finds a program: a path unchanged, a bare name on `path`. Returns `None` if there is none that can run.
///
/// Folders relative to the current one are skipped: users who may write there must not determine what runs.
pub(super) fn find(command: &str, path: Option<&OsStr>, extensions: Option<&OsStr>) -> Option<PathBuf> {
    if command.contains(is_separator) {
        return runnable(PathBuf::from(command), extensions);
    }
    let folders = std::env::split_paths(path?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(command)).find_map(|file| runnable(file, extensions))
}

#[cfg(unix)]
fn runnable(file: PathBuf, _: Option<&OsStr>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then_some(file)
}

/// Returns the file to run. On Windows, its name has to end with one of `PATHEXT`, which may have to be
/// added.
#[cfg(not(unix))]
fn runnable(file: PathBuf, extensions: Option<&OsStr>) -> Option<PathBuf> {
    let extensions = extensions.and_then(OsStr::to_str).filter(|list| !list.is_empty());
    let extensions = extensions.unwrap_or(".com;.exe;.bat;.cmd").split(';');
    let extensions: Vec<&str> = extensions.filter(|extension| !extension.is_empty()).collect();
    let name = file.file_name()?.to_str()?.to_lowercase();
    if extensions.iter().any(|extension| name.ends_with(&extension.to_lowercase())) && file.is_file() {
        return Some(file);
    }
    extensions
        .into_iter()
        .map(|extension| PathBuf::from(format!("{}{extension}", file.display())))
        .find(|file| file.is_file())
}

/// Returns the shortest spelling of a path, without looking at the disk.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in Path::new(path).components() {
        match (part, parts.last()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        return ".".to_owned();
    }
    parts.iter().collect::<PathBuf>().to_string_lossy().into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for (path, cleaned) in [
            ("", "."),
            ("a", "a"),
            ("./a", "a"),
            ("a/../b/", "b"),
            ("/../a//b/./c", "/a/b/c"),
            ("../a/..", ".."),
            ("a/..", "."),
            ("/", "/"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn a_name_is_looked_for_on_path_and_never_in_the_current_folder() {
        let path = std::env::join_paths(["", ".", "/nowhere", "/bin"]).unwrap();
        let found = find("sh", Some(&path), None).unwrap();
        assert_eq!(found, Path::new("/bin/sh"));
        assert_eq!(find("/bin/sh", None, None).unwrap(), found);
        // Cargo runs tests in the folder of the package, which has this one.
        assert_eq!(find("Cargo.toml", Some(OsStr::new(".")), None), None);
        assert_eq!(find("sh", None, None), None);
        assert_eq!(find("/bin", None, None), None);
    }
}
