//! A folder that is opened by its real path.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A folder that stays open, so that it does not matter what its path leads to later.
pub(crate) struct OpenFolder {
    path: PathBuf,
    _file: Option<File>,
}

impl OpenFolder {
    /// Opens a folder by its real path, as `fs::canonicalize` returns it.
    ///
    /// # Errors
    /// If it cannot be opened; on Linux also if a link has been put on its way meanwhile.
    pub(crate) fn open(real: &Path) -> io::Result<Self> {
        open(real)
    }

    /// Returns a path that leads to it as long as it is open.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(target_os = "linux")]
fn open(real: &Path) -> io::Result<OpenFolder> {
    use std::os::fd::AsRawFd;
    let file = File::open(real)?;
    // proc(5): a link to what is open, whose name is the path of that without any link.
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    match std::fs::read_link(&path) {
        Ok(found) if found == real => Ok(OpenFolder { path, _file: Some(file) }),
        Ok(_) => Err(io::Error::other("another folder has been put in its place")),
        // Where no /proc is mounted, the path is all there is.
        Err(_) => Ok(OpenFolder { path: real.to_owned(), _file: None }),
    }
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of the Linux twin")]
fn open(real: &Path) -> io::Result<OpenFolder> {
    Ok(OpenFolder { path: real.to_owned(), _file: None })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_opened_where_it_is_and_not_where_a_link_leads() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().canonicalize().unwrap().join("folder");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("x"), "here").unwrap();
        let opened = OpenFolder::open(&folder).unwrap();
        let link = folder.with_file_name("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        assert!(OpenFolder::open(&link).is_err());
        // Another folder takes its name, and it stays the one that was opened.
        std::fs::rename(&folder, folder.with_file_name("moved")).unwrap();
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(std::fs::read_to_string(opened.path().join("x")).unwrap(), "here");
    }
}
