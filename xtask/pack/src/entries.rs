//! What is in a folder, in the order of its paths.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// A file or a folder of the archive.
pub(crate) struct Entry {
    /// Its path in the archive, by slashes on every system.
    pub(crate) path: String,
    /// None of a folder.
    pub(crate) content: Option<Vec<u8>>,
    is_executable: bool,
}

impl Entry {
    /// Returns its permissions, as of chmod(1).
    pub(crate) fn mode(&self) -> u32 {
        if self.content.is_none() || self.is_executable { 0o755 } else { 0o644 }
    }
}

/// Returns a folder and all that is in it.
///
/// # Errors
/// If something cannot be read, or is neither a file nor a folder.
pub(crate) fn of(folder: &Path) -> Result<Vec<Entry>> {
    let name =
        folder.file_name().with_context(|| format!("{}: a folder without a name", folder.display()))?;
    let mut all = Vec::new();
    add(folder, utf8(name.as_ref())?.to_owned(), &mut all)?;
    all.sort_by(|one: &Entry, other| one.path.cmp(&other.path));
    Ok(all)
}

fn add(host: &Path, path: String, all: &mut Vec<Entry>) -> Result<()> {
    let unreadable = || format!("cannot read {}", host.display());
    let metadata = fs::symlink_metadata(host).with_context(unreadable)?;
    if metadata.is_dir() {
        let inside: std::io::Result<Vec<PathBuf>> =
            fs::read_dir(host).with_context(unreadable)?.map(|entry| Ok(entry?.path())).collect();
        for host in inside.with_context(unreadable)? {
            let name = host.file_name().unwrap_or_default();
            add(&host, format!("{path}/{}", utf8(name.as_ref())?), all)?;
        }
        all.push(Entry { path, content: None, is_executable: true });
    } else if metadata.is_file() {
        let content = fs::read(host).with_context(unreadable)?;
        all.push(Entry { path, content: Some(content), is_executable: is_executable(host, &metadata) });
    } else {
        bail!("{}: neither a file nor a folder", host.display());
    }
    Ok(())
}

fn utf8(name: &Path) -> Result<&str> {
    name.to_str().with_context(|| format!("{}: a name that is not UTF-8", name.display()))
}

#[cfg(unix)]
fn is_executable(_: &Path, metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

/// Elsewhere it is told by the name.
#[cfg(not(unix))]
fn is_executable(host: &Path, _: &fs::Metadata) -> bool {
    host.extension().is_some_and(|extension| extension == "exe")
}
