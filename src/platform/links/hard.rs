//! Links on Windows: hard links to a copy of kwasm in a folder beside them, by which they also find kwasm.
//!
//! They are not links to kwasm itself: Windows removes no name of a program that is running, so that kwasm could not remove them.
//! What runs nevertheless, e.g. a plugin that is being uninstalled, can be moved aside, and is removed later.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, File};
use std::hint::black_box;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::super::disk;

/// What every release of kwasm contains, and no other program: by it a link to another release is recognised, which has other
/// content.
const MARK: &[u8] = b"kwasm is the program of this link, in whichever release\x01";

/// The last byte of the mark, which it has nowhere else.
const END: u8 = b'\x01';

/// How many bytes of a file are searched for the mark: many times kwasm's own length.
const LARGEST: u64 = 1 << 28;

/// The folder of the copy, beside the links.
const FOLDER: &str = ".kwasm";

/// The ending of what was moved aside.
const ASIDE: &str = ".old";

/// Returns the path of the program of a link.
pub(super) fn program_of(link: &Path) -> PathBuf {
    link.with_file_name(FOLDER).join("kwasm.exe")
}

/// Makes a link, and the copy that it leads to. Where there are no hard links, it is a copy too.
pub(super) fn make(program: &Path, link: &Path) -> io::Result<()> {
    let copy = program_of(link);
    if !is_same(&copy, program) {
        disk::folders(copy.parent().unwrap_or(link))?;
        replace(&copy, |temporary| fs::copy(program, temporary).map(drop))?;
    }
    replace(link, |temporary| {
        fs::hard_link(&copy, temporary).or_else(|_| fs::copy(&copy, temporary).map(drop))
    })
}

/// Puts a file in its place, and what runs there aside.
fn replace(place: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    match disk::link(place, &make) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && place.exists() => {
            move_aside(place)?;
            disk::link(place, make)
        }
        result => result,
    }
}

/// Removes a link.
pub(super) fn remove(link: &Path) -> io::Result<()> {
    match disk::remove(link) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => move_aside(link),
        result => result,
    }
}

fn move_aside(file: &Path) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default().display();
    let mut places = (0..u32::MAX).map(|number| file.with_file_name(format!(".{name}.{number}{ASIDE}")));
    let free = places.find(|place| fs::symlink_metadata(place).is_err());
    disk::rename(file, &free.ok_or(io::ErrorKind::AlreadyExists)?)
}

/// Removes what was moved aside and no longer runs, what a killed process left of a copy, and the copy if no link needs it.
/// `is_name` says which files are named as links are.
pub(super) fn tidy(links: &Path, is_name: impl Fn(&str) -> bool) -> io::Result<()> {
    let folder = links.join(FOLDER);
    for folder in [links, &folder] {
        for entry in disk::entries(folder)? {
            if is_aside(&entry.file_name()) && is_marked(&entry.path()) {
                // If it cannot be removed, it still runs.
                drop(disk::remove(&entry.path()));
            }
        }
    }
    disk::remove_abandoned(&folder)?;
    let is_link =
        |entry: &DirEntry| entry.file_name().to_str().is_some_and(&is_name) && is_ours(&entry.path());
    if disk::entries(links)?.iter().any(is_link) {
        return Ok(());
    }
    remove(&program_of(&links.join("any")))?;
    // It stays as long as a copy in it runs.
    drop(disk::remove_folder(&folder));
    Ok(())
}

/// Returns whether a file has a name that [`move_aside`] gives.
fn is_aside(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let inner = name.strip_prefix('.').and_then(|name| name.strip_suffix(ASIDE));
    let Some((program, number)) = inner.and_then(|inner| inner.split_once(".exe.")) else { return false };
    let of_kwasm = ["kubectl-", "kubectl_"].iter().any(|begin| program.starts_with(begin));
    (program == "kwasm" || of_kwasm) && number.parse::<u32>().is_ok()
}

/// Returns whether a file is a link to kwasm, of whichever release.
pub(super) fn is_ours(link: &Path) -> bool {
    fs::symlink_metadata(link).is_ok_and(|metadata| metadata.is_file()) && is_marked(link)
}

/// Returns whether a file contains kwasm's mark.
fn is_marked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    // An optimizer that sees the text compares in pieces, and then the program no longer contains it.
    let mark = black_box(MARK);
    let mut reader = BufReader::with_capacity(1 << 16, file.take(LARGEST));
    let mut piece = Vec::new();
    loop {
        piece.clear();
        match reader.read_until(END, &mut piece) {
            Ok(1..) if piece.ends_with(mark) => return true,
            Ok(1..) => {}
            Ok(0) | Err(_) => return false,
        }
    }
}

/// Returns whether a link leads to a copy of this very program.
pub(super) fn leads_to(link: &Path, program: &Path) -> bool {
    is_same(link, program) && is_same(&program_of(link), program)
}

/// Returns whether two files have the same content.
fn is_same(one: &Path, other: &Path) -> bool {
    let lengths = (fs::metadata(one), fs::metadata(other));
    let (Ok(first), Ok(second)) = lengths else { return false };
    first.len() == second.len() && matches!((fs::read(one), fs::read(other)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = disk::entries(folder).unwrap();
        let mut names: Vec<_> =
            entries.iter().map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn release(number: &str) -> Vec<u8> {
        [b"MZ\0\x01..", MARK, number.as_bytes()].concat()
    }

    #[test]
    fn a_link_is_that_of_its_release_and_known_to_every_other() {
        let tools = folder_with(&[("kwasm.exe", &release("1"))]);
        let links = folder_with(&[("other.exe", b"MZ\0\x01kwasm is the program of this")]);
        let (program, link) = (tools.path().join("kwasm.exe"), links.path().join("kubectl-x.exe"));
        make(&program, &link).unwrap();
        assert!(leads_to(&link, &program));
        assert!(is_ours(&link) && !is_ours(&links.path().join("other.exe")) && !is_ours(links.path()));

        fs::write(&program, release("2")).unwrap();
        assert!(is_ours(&link) && !leads_to(&link, &program));
        make(&program, &link).unwrap();
        assert!(leads_to(&link, &program));
    }

    #[test]
    fn a_copy_stays_as_long_as_a_link_needs_it_and_nothing_stays_longer() {
        let tools = folder_with(&[("kwasm.exe", &release("1"))]);
        let program = tools.path().join("kwasm.exe");
        let other = ("kubectl-native.exe", &b"MZ\0 of someone else"[..]);
        let links =
            folder_with(&[other, (".kubectl-gone.exe.0.old", &release("1")), (".my.kubectl-x.old", b"")]);
        let link = |name: &str| links.path().join(name);
        for name in ["kubectl-x.exe", "kubectl_complete-x.exe"] {
            make(&program, &link(name)).unwrap();
        }
        fs::write(links.path().join(FOLDER).join(".kwasm.exe.AbCdEf.new"), "cut short").unwrap();
        remove(&link("kubectl-x.exe")).unwrap();
        tidy(links.path(), |name| name.starts_with("kubectl")).unwrap();
        assert_eq!(names(links.path()), [FOLDER, ".my.kubectl-x.old", other.0, "kubectl_complete-x.exe"]);
        assert_eq!(names(&links.path().join(FOLDER)), ["kwasm.exe"]);
        remove(&link("kubectl_complete-x.exe")).unwrap();
        tidy(links.path(), |name| name.starts_with("kubectl")).unwrap();
        assert_eq!(names(links.path()), [".my.kubectl-x.old", other.0]);
    }

    #[test]
    fn what_cannot_be_removed_is_moved_aside_under_a_name_that_is_free() {
        let links = folder_with(&[("kubectl-x.exe", b"new"), (".kubectl-x.exe.0.old", b"old")]);
        move_aside(&links.path().join("kubectl-x.exe")).unwrap();
        assert_eq!(names(links.path()), [".kubectl-x.exe.0.old", ".kubectl-x.exe.1.old"]);
        assert!(names(links.path()).iter().all(|name| is_aside(name.as_ref())));
    }
}
