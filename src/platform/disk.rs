//! All changes that kwasm makes to a disk, one operation at a time, so that a test can end the process, or
//! simulate a full disk, at any of them.
//!
//! An unfinished file has a name of its own until it is renamed: `.NAME.….new`, which [`is_unfinished`]
//! recognises.

mod output;
mod scratch;
mod tree;

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::{Builder, NamedTempFile};

pub(crate) use self::output::{may_output, output, private_output};
pub(crate) use self::scratch::Scratch;
pub(crate) use self::tree::tree;
use super::owner::check_folder;
use crate::defence::{self, PIECE};

/// The suffix of unfinished files.
const UNFINISHED: &str = ".new";

/// A file that is completely written but not yet in its place. Dropping it removes the file.
pub(crate) struct Staged {
    file: NamedTempFile,
    place: PathBuf,
}

/// The number of bytes that one call of the system writes. Linux keeps a file in memory in units as large as the calls that
/// wrote it, up to 2 MiB, and since 6.18 it maps the whole of a unit at the first access to any of it. Written at once, the machine
/// code of a large plugin would be almost wholly in the memory of each run: 86 MB of 103, instead of 39.
const PAGES: usize = 16 << 10;

/// The users who may read and write a new file, as far as the umask allows.
#[derive(Clone, Copy)]
enum Readers {
    /// Only the owner may read and write it.
    Owner = 0o600,
    /// Others may read it.
    Others = 0o644,
    /// The default permissions of any program.
    Anyone = 0o666,
}

#[cfg(unix)]
fn permit(builder: &mut Builder<'_, '_>, readers: Readers) {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(readers as u32));
}

/// Does nothing: Windows gives a new file the access list of its folder.
#[cfg(not(unix))]
fn permit(_: &mut Builder<'_, '_>, _: Readers) {}

/// Returns whether a new file can replace an old one unnoticed: it has the same owner and group, and the old
/// one has no other name.
#[cfg(unix)]
fn can_stand_for(new: &Metadata, old: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (new.uid(), new.gid()) == (old.uid(), old.gid()) && old.nlink() == 1
}

/// Returns `true`: Windows gives a new file the owner and the access list of its folder.
#[cfg(not(unix))]
fn can_stand_for(_: &Metadata, _: &Metadata) -> bool {
    true
}

impl Staged {
    /// Writes a file next to `place`, in an existing folder, readable by its owner only (0600).
    pub(crate) fn write(place: &Path, content: &[u8]) -> io::Result<Self> {
        Self::write_for(Readers::Owner, place, content)
    }

    /// Writes a file next to `place`, in an existing folder, readable by others too.
    pub(crate) fn write_public(place: &Path, content: &[u8]) -> io::Result<Self> {
        Self::write_for(Readers::Others, place, content)
    }

    fn write_for(readers: Readers, place: &Path, content: &[u8]) -> io::Result<Self> {
        let prefix = unfinished(place);
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(UNFINISHED);
        permit(&mut builder, readers);
        let file = change("create", place, || builder.tempfile_in(folder_of(place)))?;
        // Locked as long as it is being written, so that `remove_abandoned` leaves it alone. On a file system
        // without locks it cannot be distinguished from an abandoned one, and is left alone too.
        drop(file.as_file().try_lock());
        let mut staged = Self { file, place: place.to_owned() };
        for piece in content.chunks(PIECE) {
            change("write", place, || {
                piece.chunks(PAGES).try_for_each(|pages| staged.file.write_all(pages))
            })?;
        }
        Ok(staged)
    }

    /// Waits until the content is on the disk.
    pub(crate) fn sync(self) -> io::Result<Self> {
        change("sync", &self.place, || self.file.as_file().sync_all())?;
        Ok(self)
    }

    /// Returns whether it can replace an old file unnoticed. If so, it now has the old file's permissions.
    fn stands_for(&self, before: &Metadata) -> io::Result<bool> {
        let file = self.file.as_file();
        if !can_stand_for(&file.metadata()?, before) {
            return Ok(false);
        }
        change("permissions", &self.place, || file.set_permissions(before.permissions()))?;
        Ok(true)
    }

    /// Moves the file to its place, and waits until that is on the disk.
    fn settle(self) -> io::Result<()> {
        let staged = self.sync()?;
        let folder = folder_of(&staged.place).to_owned();
        staged.rename()?;
        sync_folder(&folder)
    }

    /// Moves the file to its place in one step, replacing any file there.
    pub(crate) fn rename(self) -> io::Result<()> {
        let Self { file, place } = self;
        change("rename", &place, || persist(file, &place))
    }
}

#[cfg(unix)]
fn persist<F>(file: NamedTempFile<F>, place: &Path) -> io::Result<()> {
    file.persist(place).map(drop).map_err(|error| error.error)
}

/// Moves a file to its place. Unlike tempfile's, the standard library's rename replaces a file that is open, as on Unix. Only one
/// that is being executed stays.
#[cfg(not(unix))]
fn persist<F>(file: NamedTempFile<F>, place: &Path) -> io::Result<()> {
    let (_open, path) = file.into_parts();
    let path = path.keep().map_err(|error| error.error)?;
    fs::rename(&path, place).inspect_err(|_| drop(fs::remove_file(&path)))
}

/// Replaces a file, readable by all, in one step, so that readers see the old or the new content. Waits until
/// it is on the disk. The folder must exist.
pub(crate) fn replace_public(place: &Path, content: &[u8]) -> io::Result<()> {
    Staged::write_public(place, content)?.sync()?.rename()?;
    sync_folder(folder_of(place))
}

/// Replaces a file like [`replace_public`], but without waiting for the disk: for caches, whose loss costs
/// nothing.
pub(crate) fn replace_soon(place: &Path, content: &[u8]) -> io::Result<()> {
    Staged::write(place, content)?.rename()
}

/// Replaces the content of a file, and keeps its owner and permissions. Replaces the file in one step if
/// possible, otherwise writes in its place, e.g. if it is a mount of its own or in a folder that is not
/// writable.
pub(crate) fn replace_alike(place: &Path, content: &[u8]) -> io::Result<()> {
    match exchange(place, content) {
        Err(error) if is_stuck(&error) => overwrite(place, content),
        result => result,
    }
}

/// Checks whether [`replace_alike`] can be expected to succeed with a content of this length, by trying every
/// step that changes nothing.
pub(crate) fn may_replace(place: &Path, content: &[u8]) -> io::Result<()> {
    File::options().write(true).open(place)?;
    // Of a process that was killed while it replaced the file.
    drop(remove_abandoned_if(folder_of(place), |name| is_unfinished_for(place, name)));
    match Staged::write(place, content) {
        Err(error) if is_stuck(&error) => Ok(()),
        result => result.map(drop),
    }
}

fn exchange(place: &Path, content: &[u8]) -> io::Result<()> {
    let before = place.metadata()?;
    let staged = Staged::write(place, content)?;
    if staged.stands_for(&before)? { staged.settle() } else { overwrite(place, content) }
}

/// Returns whether the folder, rather than the disk, prevents a file from being replaced.
fn is_stuck(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), CrossesDevices | PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// Overwrites a file in its place. Grows the file first: if the disk is full, its content stays as it was.
fn overwrite(place: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).open(place)?;
    let before = file.seek(SeekFrom::End(0))?;
    let (head, tail) =
        content.split_at(usize::try_from(before).map_or(content.len(), |at| at.min(content.len())));
    change("write", place, || {
        file.write_all(tail).inspect_err(|_| drop(file.set_len(before)))?;
        file.rewind()?;
        file.write_all(head)?;
        file.set_len(content.len() as u64)
    })?;
    change("sync", place, || file.sync_all())
}

/// Creates an empty file that must not exist yet.
pub(crate) fn create_new(path: &Path) -> io::Result<()> {
    change("create", path, || File::create_new(path).map(drop))
}

/// Writes a file in its place. Its readers must be able to recognise a file that was cut short.
pub(crate) fn write(place: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = change("create", place, || public_file().truncate(true).open(place))?;
    change("write", place, || file.write_all(content))?;
    change("sync", place, || file.sync_all())?;
    sync_folder(folder_of(place))
}

/// Appends a line to a file that only its owner may read (0600), in one write, so that the lines of several
/// processes do not mix. Creates the file if it does not exist, in an existing folder. Returns the file's size.
pub(crate) fn append(place: &Path, line: &[u8]) -> io::Result<u64> {
    let mut file = change("create", place, || private_file().append(true).open(place))?;
    // In two writes in the build with faults, so that a test can end the process in the middle of a line.
    let most = if cfg!(feature = "faults") { line.len().div_ceil(2) } else { line.len() };
    for piece in line.chunks(most.max(1)) {
        change("write", place, || file.write_all(piece))?;
    }
    Ok(file.metadata()?.len())
}

/// Appends bytes to a file that is open, and may be locked: Windows lets no other handle write to it then.
pub(crate) fn extend(file: &mut File, place: &Path, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::End(0))?;
    change("write", place, || file.write_all(bytes))
}

/// Moves a file to another place in the same folder, replacing any file there.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    change("rename", to, || fs::rename(from, to))
}

/// Opens a lock file and waits until no one else holds the lock. The lock is released when the file is
/// dropped or its process ends.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let file = lockable(path)?;
    file.lock()?;
    Ok(file)
}

/// Opens a lock file without locking it yet.
pub(crate) fn lockable(path: &Path) -> io::Result<File> {
    change("create", path, || public_file().truncate(false).open(path))
}

/// Creates a folder and its ancestors, for others to enter as well. Existing folders are left as they are.
pub(crate) fn folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        folders(parent)?;
    }
    made(folder(path, public_folder))?;
    if !path.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    path.parent().map_or(Ok(()), sync_folder)
}

/// Returns the options to open or create a file that everyone may read, as far as the umask allows, and only
/// its owner may write.
fn public_file() -> fs::OpenOptions {
    let mut options = File::options();
    options.create(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options
}

/// Returns the options to open or create a file that only its owner may read and write.
fn private_file() -> fs::OpenOptions {
    let mut options = File::options();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates a folder that everyone may enter, as far as the umask allows, and only its owner may write to.
#[cfg(unix)]
fn public_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o755).create(path)
}

/// Creates a folder: Windows gives it the access list of its parent.
#[cfg(not(unix))]
fn public_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Creates one folder, by `make`.
pub(super) fn folder(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    change("folder", path, || make(path))
}

/// Accepts the error that something exists already: another process was faster.
pub(super) fn made(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Creates a link by `make`, and moves it to its place in one step.
pub(super) fn link(place: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let (folder, prefix) = (folder_of(place), unfinished(place));
    let staged =
        change("link", place, || Builder::new().prefix(&prefix).suffix(UNFINISHED).make_in(folder, make))?;
    change("rename", place, || persist(staged, place))
}

/// Removes a file. A file that does not exist is not an error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match change("remove", path, || fs::remove_file(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Removes an empty folder. A folder that does not exist is not an error.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match change("remove folder", path, || fs::remove_dir(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Syncs a folder, so that a rename in it survives a power cut. Windows has no such call and needs none.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(windows) { Ok(()) } else { change("sync", path, || File::open(path)?.sync_all()) }
}

/// Records that a file was used, at most once a day: [`trim`] removes the least recently used files. Errors
/// are ignored.
pub(crate) fn touch_daily(path: &Path) {
    const DAY: Duration = Duration::from_hours(24);
    let recent = |time: SystemTime| time.elapsed().is_ok_and(|since| since < DAY);
    if fs::metadata(path).and_then(|metadata| metadata.modified()).is_ok_and(recent) {
        return;
    }
    let touch = || File::options().append(true).open(path)?.set_modified(SystemTime::now());
    drop(change("touch", path, touch));
}

/// Removes files with one of these extensions from a folder that only this user may enter, least recently
/// used first, until the remaining files that are not `kept` have at most `budget` bytes. Returns how many
/// bytes were freed.
///
/// # Errors
/// If the folder belongs to another user or is a link. Otherwise the first error of a removal, after all
/// other files are removed.
pub(crate) fn trim(
    folder: &Path,
    extensions: &[&str],
    budget: u64,
    kept: impl Fn(&Path) -> bool,
) -> io::Result<u64> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        metadata => check_folder(&metadata?)?,
    }
    let own = |path: &Path| {
        let extension = path.extension().and_then(OsStr::to_str);
        extension.is_some_and(|extension| extensions.contains(&extension))
    };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in entries(folder)? {
        // One that is gone by now, or is still written, is not this one's to remove.
        let Ok(metadata) = entry.metadata() else { continue };
        let path = entry.path();
        if metadata.is_file() && own(&path) && !is_unfinished(&entry.file_name()) && !kept(&path) {
            files.push((metadata.modified()?, metadata.len(), path));
        }
    }
    files.sort();
    let mut left: u64 = files.iter().map(|(_, size, _)| size).sum();
    let (mut gone, mut first) = (0, Ok(()));
    for (_, size, path) in files {
        if left <= budget {
            break;
        }
        match remove(&path) {
            Ok(()) => {
                left -= size;
                gone += size;
            }
            // On Windows, a file that is being executed stays.
            Err(error) => first = first.and(Err(error)),
        }
    }
    first.map(|()| gone)
}

/// Returns whether a file has the name of an unfinished file.
pub(crate) fn is_unfinished(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(UNFINISHED))
}

/// Returns whether a file has the name of an unfinished file for this place.
pub(crate) fn is_unfinished_for(place: &Path, name: &OsStr) -> bool {
    is_unfinished(name) && name.to_string_lossy().starts_with(&unfinished(place))
}

/// Removes the files that killed processes left unfinished in a folder. Files that are still being written
/// are left alone.
pub(crate) fn remove_abandoned(folder: &Path) -> io::Result<()> {
    remove_abandoned_if(folder, is_unfinished)
}

fn remove_abandoned_if(folder: &Path, unfinished: impl Fn(&OsStr) -> bool) -> io::Result<()> {
    for entry in entries(folder)? {
        if !unfinished(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        let held = File::open(&path).is_ok_and(|file| file.try_lock().is_err());
        if !held {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Lists the entries of a folder. A folder that does not exist has none.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.collect(),
    }
}

/// Returns the prefix of the names of unfinished files for this place.
fn unfinished(place: &Path) -> String {
    format!(".{}.", place.file_name().unwrap_or_default().to_string_lossy())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn change<T>(what: &str, path: &Path, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    defence::before_change(what, path)?;
    let result = make()?;
    defence::after_change(what, path);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_file_that_is_open_is_replaced_and_its_reader_keeps_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("file");
        replace_public(&place, b"old").unwrap();
        let mut reader = File::open(&place).unwrap();
        replace_public(&place, b"new").unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"new");
        let mut old = Vec::new();
        reader.read_to_end(&mut old).unwrap();
        assert_eq!(old, b"old");
    }
}
