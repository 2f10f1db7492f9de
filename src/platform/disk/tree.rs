//! Creates a folder with everything in it, as a whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::Builder;

use super::{UNFINISHED, change, folder_of, folders, public_file, unfinished};

/// Creates a folder with these files, by their paths in it. It appears in its place once it is complete.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if there is anything in its place. Nothing is left behind after an error.
pub(crate) fn tree(place: &Path, files: &[(&str, String)]) -> io::Result<()> {
    if fs::symlink_metadata(place).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let prefix = unfinished(place);
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(UNFINISHED);
    permit(&mut builder);
    let staged = change("folder", place, || builder.tempdir_in(folder_of(place)))?;
    for (path, text) in files {
        let path = staged.path().join(path);
        folders(folder_of(&path))?;
        let mut file = change("create", &path, || public_file().create_new(true).open(&path))?;
        change("write", &path, || file.write_all(text.as_bytes()))?;
    }
    change("rename", place, || fs::rename(staged.path(), place))?;
    // It is no longer a temporary folder, which would be removed.
    drop(staged.keep());
    Ok(())
}

/// Lets others enter the folder, as far as the umask allows.
#[cfg(unix)]
fn permit(builder: &mut Builder<'_, '_>) {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
}

/// Does nothing: Windows gives a new folder the access list of its parent.
#[cfg(not(unix))]
fn permit(_: &mut Builder<'_, '_>) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_folder_is_created_with_all_of_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("new");
        tree(&place, &[("a", "1".to_owned()), (".b/c/d", "2".to_owned())]).unwrap();
        assert_eq!(fs::read_to_string(place.join("a")).unwrap(), "1");
        assert_eq!(fs::read_to_string(place.join(".b/c/d")).unwrap(), "2");
        assert_eq!(names(folder.path()), ["new"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o700;
            assert_eq!((mode(&place), mode(&place.join("a"))), (0o700, 0o600));
        }
    }

    #[test]
    fn what_is_in_its_place_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("there");
        fs::create_dir(&place).unwrap();
        let error = tree(&place, &[("a", String::new())]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(names(&place).is_empty());
        assert_eq!(names(folder.path()), ["there"]);
    }

    #[test]
    fn nothing_is_left_of_a_folder_that_could_not_be_completed() {
        let folder = tempfile::tempdir().unwrap();
        let files = [("a", String::new()), ("a/b", String::new())];
        tree(&folder.path().join("new"), &files).unwrap_err();
        assert!(names(folder.path()).is_empty());
    }
}
