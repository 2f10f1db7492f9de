//! Writes output to a path that the user chose. The store replaces its own files, but here a device or a pipe
//! is written to, a link stays a link, and a file keeps its owner and permissions.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Readers, Staged, change, folder_of, is_stuck, overwrite};
use crate::platform::stdio::{Stderr, Stdout};

/// The kind of file that a path leads to.
#[derive(Debug, Eq, PartialEq)]
enum Destination {
    /// A regular file, or none yet. The path is not a link.
    File(PathBuf),
    /// A device or a pipe, which takes bytes and stays in its place.
    Device(PathBuf),
    /// A descriptor that this process has open, by its number.
    Descriptor(u32, PathBuf),
}

/// The largest number of links on the way to a file, as on Linux.
const LINKS: usize = 40;

/// Writes `content` to `place`. A regular file is replaced as a whole or not at all, unless only writing in
/// its place is possible: it has another owner or other names, is a mount of its own, or is in a folder that
/// is not writable.
pub(crate) fn output(place: &Path, content: &[u8]) -> io::Result<()> {
    match destination(place)? {
        Destination::File(path) => replace(&path, content),
        Destination::Device(path) => change("write", place, || {
            let mut device = File::options().write(true).open(path)?;
            device.write_all(content)?;
            synced(&device)
        }),
        // An open file is written from its current position on.
        Destination::Descriptor(1, _) => Stdout.write_all(content).and_then(|()| Stdout.flush()),
        Destination::Descriptor(2, _) => Stderr.write_all(content).and_then(|()| Stderr.flush()),
        Destination::Descriptor(_, path) => {
            change("write", place, || File::options().append(true).open(path)?.write_all(content))
        }
    }
}

/// Writes `content` like [`output`], but only its owner may read the file (0600), whoever could read an old one.
pub(crate) fn private_output(place: &Path, content: &[u8]) -> io::Result<()> {
    match destination(place)? {
        Destination::File(path) => Staged::write(&path, content)?.sync()?.rename(),
        Destination::Device(_) | Destination::Descriptor(..) => output(place, content),
    }
}

/// Checks whether [`private_output`] can be expected to succeed, by trying every step that changes nothing.
pub(crate) fn may_output(place: &Path) -> io::Result<()> {
    match destination(place)? {
        Destination::File(path) => Staged::write(&path, b"").map(drop),
        Destination::Device(_) | Destination::Descriptor(..) => Ok(()),
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let before = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        metadata => Some(metadata?),
    };
    let Some(before) = before else {
        return Staged::write_for(Readers::Anyone, path, content)?.sync()?.rename();
    };
    match exchanged(path, content, &before) {
        Ok(true) => Ok(()),
        Ok(false) => overwrite(path, content),
        Err(error) if is_stuck(&error) => overwrite(path, content),
        Err(error) => Err(error),
    }
}

/// Replaces an old file by a new one, if the new one can stand for it.
fn exchanged(path: &Path, content: &[u8], before: &Metadata) -> io::Result<bool> {
    // Closed to others until it has the permissions of the old one.
    let staged = Staged::write(path, content)?;
    if !staged.stands_for(before)? {
        return Ok(false);
    }
    staged.sync()?.rename().map(|()| true)
}

/// Waits until a device has stored what was written, if it supports that: a pipe does not.
fn synced(device: &File) -> io::Result<()> {
    match device.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

fn destination(place: &Path) -> io::Result<Destination> {
    let mut path = place.to_owned();
    for _ in 0..=LINKS {
        if let Some(number) = descriptor(&path) {
            return Ok(Destination::Descriptor(number, path));
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => path = folder_of(&path).join(fs::read_link(&path)?),
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if metadata.is_file() => return Ok(Destination::File(path)),
            Ok(_) => return Ok(Destination::Device(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Destination::File(path)),
            Err(error) => return Err(error),
        }
    }
    // The system's own error for too many links.
    fs::metadata(place)?;
    Ok(Destination::Device(path))
}

/// Returns the number of the open file of this process that a path denotes: `/dev/stdout` leads to
/// `/proc/self/fd/1`.
#[cfg(unix)]
fn descriptor(path: &Path) -> Option<u32> {
    let number = path.file_name()?.to_str()?.parse().ok()?;
    let folder = fs::canonicalize(folder_of(path)).ok()?;
    let own =
        folder == Path::new("/dev/fd") || fs::canonicalize("/proc/self/fd").is_ok_and(|own| own == folder);
    own.then_some(number)
}

#[cfg(not(unix))]
fn descriptor(_: &Path) -> Option<u32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        symlink("sub/second", at("first")).unwrap();
        symlink("../file", at("sub/second")).unwrap();
        // The first time there is nothing at its end.
        for text in ["new", "newer"] {
            output(&at("first"), text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(at("file")).unwrap(), text);
            assert!(at("first").is_symlink() && at("sub/second").is_symlink());
        }
        symlink("loop", at("loop")).unwrap();
        assert!(output(&at("loop"), b"x").is_err());
        assert!(output(&at("sub"), b"x").is_err());
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let mut before = File::open(&file).unwrap();
        output(&file, b"new").unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        let mut old = String::new();
        io::Read::read_to_string(&mut before, &mut old).unwrap();
        assert_eq!(old, "old", "who has it open still has the old one");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_private_file_is_its_owners_alone_whatever_was_there_before() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        symlink("file", &link).unwrap();
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        may_output(&link).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        private_output(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        assert!(may_output(folder.path()).is_err() && may_output(&folder.path().join("none/x")).is_err());
    }

    #[test]
    fn a_file_with_two_names_keeps_both() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::write(&one, "a long old text").unwrap();
        fs::hard_link(&one, &two).unwrap();
        output(&one, b"new").unwrap();
        assert_eq!(fs::read_to_string(&two).unwrap(), "new");
        assert_eq!(one.metadata().unwrap().ino(), two.metadata().unwrap().ino());
    }

    #[test]
    fn an_open_file_is_known_by_every_name_that_it_has() {
        for (path, number) in [("/dev/stdout", 1), ("/dev/fd/2", 2), ("/proc/self/fd/7", 7)] {
            if Path::new(path).parent().is_some_and(Path::exists) {
                let found = destination(Path::new(path)).unwrap();
                assert!(matches!(found, Destination::Descriptor(known, _) if known == number), "{found:?}");
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let named_by_number = folder.path().join("1");
        assert_eq!(destination(&named_by_number).unwrap(), Destination::File(named_by_number));
    }
}
