//! The file in which an administrator limits what every user's plugins may do.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::defence;

/// Returns the path of the administrator's policy: `/etc/kwasm/ceiling.yaml`, on macOS
/// `/Library/Application Support/kwasm/ceiling.yaml`, on Windows `C:\ProgramData\kwasm\ceiling.yaml`.
///
/// No variable of the environment changes it, since users set those.
pub(crate) fn ceiling() -> PathBuf {
    if let Some(path) = defence::ceiling() {
        return path.into();
    }
    let folder = if cfg!(windows) {
        r"C:\ProgramData\kwasm"
    } else if cfg!(target_os = "macos") {
        "/Library/Application Support/kwasm"
    } else {
        "/etc/kwasm"
    };
    Path::new(folder).join("ceiling.yaml")
}

/// Reads a file that only an administrator may have written, or returns `None` if there is none. At most
/// `most` bytes and one more are read.
///
/// # Errors
/// If it cannot be read, or someone else owns it or its folder or may write to them.
pub(crate) fn read_administrators(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A dangling link is a file that cannot be read.
            return if fs::symlink_metadata(path).is_ok() { Err(error) } else { Ok(None) };
        }
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    check_administrators(&metadata, "it")?;
    if let Some(folder) = path.parent() {
        check_administrators(&fs::metadata(folder)?, "its folder")?;
    }
    let mut content = Vec::new();
    file.take(most + 1).read_to_end(&mut content)?;
    Ok(Some(content))
}

#[cfg(unix)]
fn check_administrators(metadata: &fs::Metadata, what: &str) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let denied = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{what} {why}")));
    if metadata.uid() != 0 {
        return denied("does not belong to root");
    }
    if metadata.mode() & 0o022 != 0 {
        return denied("can be changed by other users than root");
    }
    Ok(())
}

/// Accepts every file: the access list that Windows gives to `ProgramData` lets users create folders in it,
/// but not change those of an administrator.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of the Unix twin")]
fn check_administrators(_: &fs::Metadata, _: &str) -> io::Result<()> {
    Ok(())
}
