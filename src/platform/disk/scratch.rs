//! Temporary folders, for programs that read files rather than bytes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempDir};

use super::change;

/// A temporary folder that only this user may enter. Dropping it removes it with everything in it.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// Creates a folder among the temporary files of the system.
    pub(crate) fn new() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        change("folder", &parent, || Builder::new().prefix("kwasm-").tempdir_in(&parent)).map(Self)
    }

    /// Returns the path of something in the folder.
    pub(crate) fn join(&self, below: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(below)
    }

    /// Writes a file, with the folders above it. Returns its path.
    pub(crate) fn write(&self, below: impl AsRef<Path>, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.join(below);
        if let Some(folder) = path.parent() {
            change("folder", folder, || fs::create_dir_all(folder))?;
        }
        change("write", &path, || fs::write(&path, content))?;
        Ok(path)
    }

    /// Copies the regular files of a folder, except for those of `left_out` directly in it. Returns the path
    /// of the copy.
    ///
    /// The copies can be written to, unlike the files of a package manager's cache. Links are left out: they
    /// could lead anywhere.
    pub(crate) fn copy(&self, from: &Path, below: impl AsRef<Path>, left_out: &str) -> io::Result<PathBuf> {
        let to = self.join(below);
        change("folder", &to, || fs::create_dir_all(&to))?;
        let mut folders = vec![(from.to_owned(), to.clone())];
        while let Some((from_folder, to_folder)) = folders.pop() {
            for entry in fs::read_dir(&from_folder)? {
                let entry = entry?;
                let place = to_folder.join(entry.file_name());
                let kind = entry.file_type()?;
                if kind.is_dir() && !(from_folder == from && entry.file_name() == left_out) {
                    change("folder", &place, || fs::create_dir(&place))?;
                    folders.push((entry.path(), place));
                } else if kind.is_file() {
                    // Not `fs::copy`, which keeps that the file is read-only.
                    let content = fs::read(entry.path())?;
                    change("write", &place, || fs::write(&place, content))?;
                }
            }
        }
        Ok(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_can_be_written_to_and_goes_with_its_folder() {
        let from = tempfile::tempdir().unwrap();
        for file in ["a", "vendor/b", "c/vendor/d"] {
            let path = from.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, file).unwrap();
        }
        let mut read_only = fs::metadata(from.path().join("a")).unwrap().permissions();
        read_only.set_readonly(true);
        fs::set_permissions(from.path().join("a"), read_only).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc", from.path().join("link")).unwrap();
        let scratch = Scratch::new().unwrap();
        let copy = scratch.copy(from.path(), "x/y", "vendor").unwrap();
        assert_eq!(copy, scratch.join("x/y"));
        fs::write(copy.join("a"), "changed").unwrap();
        assert_eq!(fs::read_to_string(copy.join("c/vendor/d")).unwrap(), "c/vendor/d");
        assert!(!copy.join("vendor").exists() && !copy.join("link").exists());
        let written = scratch.write("z/file", b"text").unwrap();
        assert_eq!(fs::read(&written).unwrap(), b"text");
        drop(scratch);
        assert!(!written.exists());
    }
}
