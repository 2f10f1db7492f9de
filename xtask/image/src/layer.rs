//! The files of an image as one tar, in the order of their paths and without anything of this machine.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tar::{Builder, EntryType, Header};

/// A file of the image.
pub(crate) struct File {
    /// Where it is in the image, without the first slash.
    pub(crate) path: String,
    /// Where its content is on this machine.
    pub(crate) host: PathBuf,
}

/// An empty folder of the image.
pub(crate) struct Folder {
    /// Where it is in the image, without the first slash.
    pub(crate) path: String,
    /// The number of its user, who is its group too.
    pub(crate) owner: u64,
    pub(crate) mode: Mode,
}

/// Permissions, as of chmod(1).
#[derive(Clone, Copy)]
pub(crate) struct Mode(u32);

impl Mode {
    const FILE: Self = Self(0o644);
    const PROGRAM: Self = Self(0o755);
    pub(crate) const FOLDER: Self = Self(0o755);
    pub(crate) const PRIVATE: Self = Self(0o700);
    pub(crate) const TEMPORARY: Self = Self(0o1777);
}

/// What the image has at a path.
struct Entry {
    owner: u64,
    mode: Mode,
    /// None of a folder.
    content: Option<Vec<u8>>,
}

/// The layer, which grows.
#[derive(Default)]
pub(crate) struct Layer {
    entries: BTreeMap<String, Entry>,
}

impl Layer {
    /// Adds a file. The same library may come with several programs, but not two files with one path.
    ///
    /// # Errors
    /// If it cannot be read, or another is there.
    pub(crate) fn add(&mut self, file: &File) -> Result<()> {
        let host = &file.host;
        let content = fs::read(host).with_context(|| format!("cannot read {}", host.display()))?;
        let mode = if is_executable(host)? { Mode::PROGRAM } else { Mode::FILE };
        let entry = Entry { owner: 0, mode, content: Some(content) };
        self.insert(&file.path, entry)
    }

    /// Adds an empty folder.
    ///
    /// # Errors
    /// If a file is there.
    pub(crate) fn add_folder(&mut self, folder: &Folder) -> Result<()> {
        self.insert(&folder.path, Entry { owner: folder.owner, mode: folder.mode, content: None })
    }

    fn insert(&mut self, path: &str, entry: Entry) -> Result<()> {
        for (end, _) in path.match_indices('/') {
            let above = self.entries.entry(path[..end].to_owned());
            let above = above.or_insert(Entry { owner: 0, mode: Mode::FOLDER, content: None });
            if above.content.is_some() {
                bail!("/{path}: there is a file above it");
            }
        }
        if let Some(other) = self.entries.get(path)
            && other.content != entry.content
        {
            bail!("/{path}: it is there twice, with another content");
        }
        self.entries.insert(path.to_owned(), entry);
        Ok(())
    }

    /// Returns the layer as an uncompressed tar.
    pub(crate) fn into_tar(self) -> Result<Vec<u8>> {
        let mut tar = Builder::new(Vec::new());
        // The map's order puts each folder before what is in it.
        for (path, entry) in self.entries {
            let content = entry.content.as_deref();
            let mut header = Header::new_gnu();
            header.set_entry_type(if content.is_some() { EntryType::Regular } else { EntryType::Directory });
            header.set_mode(entry.mode.0);
            header.set_uid(entry.owner);
            header.set_gid(entry.owner);
            header.set_mtime(0);
            let content = content.unwrap_or_default();
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, path, content)?;
        }
        Ok(tar.into_inner()?)
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o111 != 0)
}

/// Images are of Linux: on other systems only files are put into them.
#[cfg(not(unix))]
fn is_executable(_: &Path) -> Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn file(path: &str, host: &Path) -> File {
        File { path: path.to_owned(), host: host.to_owned() }
    }

    #[test]
    fn a_layer_has_its_files_in_the_order_of_their_paths_below_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        let host = folder.path().join("any");
        fs::write(&host, "content").unwrap();
        let mut layer = Layer::default();
        layer.add(&file("usr/bin/b", &host)).unwrap();
        layer.add(&file("etc/a", &host)).unwrap();
        layer.add_folder(&Folder { path: "tmp".to_owned(), owner: 0, mode: Mode::TEMPORARY }).unwrap();
        let bytes = layer.into_tar().unwrap();
        let mut seen = Vec::new();
        for entry in tar::Archive::new(&*bytes).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            assert_eq!(entry.header().mtime().unwrap(), 0);
            seen.push(format!(
                "{} {:o} {text}",
                entry.path().unwrap().display(),
                entry.header().mode().unwrap()
            ));
        }
        assert_eq!(
            seen,
            [
                "etc 755 ",
                "etc/a 644 content",
                "tmp 1777 ",
                "usr 755 ",
                "usr/bin 755 ",
                "usr/bin/b 644 content"
            ]
        );
    }

    #[test]
    fn two_files_with_one_path_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "one").unwrap();
        fs::write(&other, "other").unwrap();
        let mut layer = Layer::default();
        layer.add(&file("a", &one)).unwrap();
        layer.add(&file("a", &one)).unwrap();
        assert!(layer.add(&file("a", &other)).unwrap_err().to_string().contains("twice"));
        assert!(layer.add(&file("a/b", &other)).unwrap_err().to_string().contains("above it"));
    }
}
