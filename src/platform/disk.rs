//! Every change that kwasm makes to a disk, one operation at a time: so a test can end the process at any of them, or let
//! any of them find the disk full.
//!
//! What is under way has a name of its own until it is renamed: `.NAME.….new`, which [`is_unfinished`] knows again.

mod output;

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::{Builder, NamedTempFile};

pub(crate) use self::output::output;
use super::owner::check_folder;
use crate::defence::{self, PIECE};

/// How the name of a file ends that is not finished.
const UNFINISHED: &str = ".new";

/// A file that is written whole, and not yet at its place. Removed when it is dropped.
pub(crate) struct Staged {
    file: NamedTempFile,
    place: PathBuf,
}

/// Who may read and write a file that is made, as far as the umask lets them.
#[derive(Clone, Copy)]
enum Readers {
    /// Its owner alone.
    Owner = 0o600,
    /// Others may read it.
    Others = 0o644,
    /// As any program makes a file.
    Anyone = 0o666,
}

#[cfg(unix)]
fn permit(builder: &mut Builder<'_, '_>, readers: Readers) {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(readers as u32));
}

/// Windows gives a new file the access list of its folder.
#[cfg(not(unix))]
fn permit(_: &mut Builder<'_, '_>, _: Readers) {}

/// Whether a new file can take an old one's place without anybody else noticing: it has the same owner and group, and the old
/// one has no other name.
#[cfg(unix)]
fn can_stand_for(new: &Metadata, old: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (new.uid(), new.gid()) == (old.uid(), old.gid()) && old.nlink() == 1
}

/// Windows gives a new file the owner and the access list of its folder.
#[cfg(not(unix))]
fn can_stand_for(_: &Metadata, _: &Metadata) -> bool {
    true
}

impl Staged {
    /// Writes a file beside its place, in a folder that is there. Its owner's alone (0600).
    pub(crate) fn write(place: &Path, content: &[u8]) -> io::Result<Self> {
        Self::write_for(Readers::Owner, place, content)
    }

    /// The same, for others to read as well.
    pub(crate) fn write_public(place: &Path, content: &[u8]) -> io::Result<Self> {
        Self::write_for(Readers::Others, place, content)
    }

    fn write_for(readers: Readers, place: &Path, content: &[u8]) -> io::Result<Self> {
        let prefix = unfinished(place);
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(UNFINISHED);
        permit(&mut builder, readers);
        let file = change("create", place, || builder.tempfile_in(folder_of(place)))?;
        // Held for as long as somebody writes it: `remove_abandoned` leaves it alone. Where a file system has no locks it
        // cannot be told from an abandoned one, and is left alone too.
        drop(file.as_file().try_lock());
        let mut staged = Self { file, place: place.to_owned() };
        for piece in content.chunks(PIECE) {
            change("write", place, || staged.file.write_all(piece))?;
        }
        Ok(staged)
    }

    /// Waits until the content is on the disk.
    pub(crate) fn sync(self) -> io::Result<Self> {
        change("sync", &self.place, || self.file.as_file().sync_all())?;
        Ok(self)
    }

    /// Whether it can take an old file's place without anyone noticing. If so, it has that one's permissions now.
    fn stands_for(&self, before: &Metadata) -> io::Result<bool> {
        let file = self.file.as_file();
        if !can_stand_for(&file.metadata()?, before) {
            return Ok(false);
        }
        change("permissions", &self.place, || file.set_permissions(before.permissions()))?;
        Ok(true)
    }

    /// Puts it in its place, and waits until the disk has it.
    fn settle(self) -> io::Result<()> {
        let staged = self.sync()?;
        let folder = folder_of(&staged.place).to_owned();
        staged.rename()?;
        sync_folder(&folder)
    }

    /// Puts the file in its place, whatever was there, in one step.
    pub(crate) fn rename(self) -> io::Result<()> {
        let Self { file, place } = self;
        change("rename", &place, || file.persist(&place).map(drop).map_err(|error| error.error))
    }
}

/// Writes a file for all to read, which they see whole or not at all, in a folder that is there, and waits until the disk
/// has it.
pub(crate) fn replace_public(place: &Path, content: &[u8]) -> io::Result<()> {
    Staged::write_public(place, content)?.sync()?.rename()?;
    sync_folder(folder_of(place))
}

/// The same without waiting for the disk: for caches, whose loss costs nothing.
pub(crate) fn replace_soon(place: &Path, content: &[u8]) -> io::Result<()> {
    Staged::write(place, content)?.rename()
}

/// Writes a file anew, where there is one, with the owner and permissions that it has: as a whole where that can be, else
/// in its place, as where it is a mount of its own or in a folder that may not be written to.
pub(crate) fn replace_alike(place: &Path, content: &[u8]) -> io::Result<()> {
    match exchange(place, content) {
        Err(error) if is_stuck(&error) => overwrite(place, content),
        result => result,
    }
}

/// Whether [`replace_alike`] can be expected to succeed with a content of this length. Tries all of it that changes nothing.
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

/// Whether the folder, and not the disk, is what keeps a file from being replaced.
fn is_stuck(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), CrossesDevices | PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// Writes a file in its place. What it grows by comes first: where there is no room for that, the file stays as it was.
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

/// Makes an empty file that is not there yet.
pub(crate) fn create_new(path: &Path) -> io::Result<()> {
    change("create", path, || File::create_new(path).map(drop))
}

/// Writes a file in its place. One that is cut short has to be known as such by who reads it.
pub(crate) fn write(place: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = change("create", place, || public_file().truncate(true).open(place))?;
    change("write", place, || file.write_all(content))?;
    change("sync", place, || file.sync_all())?;
    sync_folder(folder_of(place))
}

/// Opens a file that is only locked, and waits until nobody else has the lock. Released when the file is dropped, or its
/// process ends.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let file = lockable(path)?;
    file.lock()?;
    Ok(file)
}

/// Opens a file that is only locked, without a lock on it yet.
pub(crate) fn lockable(path: &Path) -> io::Result<File> {
    change("create", path, || public_file().truncate(false).open(path))
}

/// Makes a folder and all that lead to it, for others to enter as well. What is there already is left as it is.
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

/// How a file is opened, or made for whomever the umask lets read it, and no one else write to.
fn public_file() -> fs::OpenOptions {
    let mut options = File::options();
    options.create(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options
}

/// Makes a folder that whoever the umask lets may enter, and no one else write to.
#[cfg(unix)]
fn public_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o755).create(path)
}

/// Windows gives a new folder the access list of the one that it is in.
#[cfg(not(unix))]
fn public_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Makes one folder, by `make`.
pub(super) fn folder(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    change("folder", path, || make(path))
}

/// That somebody else was quicker is no error.
pub(super) fn made(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Makes a link by `make`, and puts it in its place in one step.
pub(super) fn link(place: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let (folder, prefix) = (folder_of(place), unfinished(place));
    let staged =
        change("link", place, || Builder::new().prefix(&prefix).suffix(UNFINISHED).make_in(folder, make))?;
    change("rename", place, || staged.into_temp_path().persist(place).map_err(|error| error.error))
}

/// Removes a file; one that is gone already is as good as removed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match change("remove", path, || fs::remove_file(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Removes a folder that is empty, or gone already.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match change("remove folder", path, || fs::remove_dir(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Syncs a folder, so that a rename in it outlives a power cut. Windows has no such call and needs none.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(windows) { Ok(()) } else { change("sync", path, || File::open(path)?.sync_all()) }
}

/// Notes that a file was used, at most once a day: [`trim`] removes what was not used for longest. That it could not be noted
/// is no error.
pub(crate) fn touch_daily(path: &Path) {
    const DAY: Duration = Duration::from_hours(24);
    let recent = |time: SystemTime| time.elapsed().is_ok_and(|since| since < DAY);
    if fs::metadata(path).and_then(|metadata| metadata.modified()).is_ok_and(recent) {
        return;
    }
    let touch = || File::options().append(true).open(path)?.set_modified(SystemTime::now());
    drop(change("touch", path, touch));
}

/// Removes files with one of these extensions from a folder of this user's alone, the longest unused first, until those that are
/// left and not `kept` have at most `budget` bytes. Returns how many bytes went.
///
/// # Errors
/// When the folder is another's, or a link; and the first error of removing, after all others are removed.
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
            // On Windows one that somebody runs stays.
            Err(error) => first = first.and(Err(error)),
        }
    }
    first.map(|()| gone)
}

/// Whether a file has the name of one that was never finished.
pub(crate) fn is_unfinished(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(UNFINISHED))
}

/// Whether a file has the name of one that was to be put in this place, and never was.
pub(crate) fn is_unfinished_for(place: &Path, name: &OsStr) -> bool {
    is_unfinished(name) && name.to_string_lossy().starts_with(&unfinished(place))
}

/// Removes from a folder what processes were writing there when they were killed. What is still written is left alone.
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

/// What is in a folder. In one that is not there is nothing.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.collect(),
    }
}

/// How the name of a file begins that is to be put in this place.
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
