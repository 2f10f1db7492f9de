//! The path by which users have kwasm, which outlives its versions.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::platform::links::{self, OWN};
use crate::platform::{self, Owner};

/// Returns the path of `program` to which links may lead: the link by which it was called, if that is one to it. Package managers
/// have each version in a folder of its own, which goes with it, and a link to it that stays.
pub(super) fn path(program: &Path, arguments: &[OsString], search: Option<&OsStr>) -> PathBuf {
    let called = arguments.first().map_or(Path::new(""), Path::new);
    // Any other name is a plugin's.
    let own = called.file_name().is_some_and(|name| OWN.iter().any(|own| name == *own));
    let is_this = |found: &PathBuf| {
        fs::canonicalize(found).is_ok_and(|found| fs::canonicalize(program).is_ok_and(|own| found == own))
    };
    let found = if !own {
        None
    } else if called.components().count() > 1 {
        std::path::absolute(called).ok()
    } else {
        // As a shell searches, but not in folders that are others wherever it is.
        search.and_then(|search| {
            let folders = env::split_paths(search).filter(|folder| folder.is_absolute());
            folders.map(|folder| folder.join(called)).find(|file| links::is_program(file))
        })
    };
    let is_kept = |found: &PathBuf| found != program && is_this(found) && is_safe(found);
    found.filter(is_kept).unwrap_or_else(|| program.to_owned())
}

/// Returns whether only this user and the administrator can lead a path elsewhere, as far as its last folder says.
fn is_safe(path: &Path) -> bool {
    let folder = path.parent().map(fs::metadata);
    let link = fs::symlink_metadata(path);
    let belongs = |metadata: &fs::Metadata| platform::owner(metadata) != Owner::Other;
    link.is_ok_and(|link| belongs(&link))
        && folder.is_some_and(|folder| {
            folder.is_ok_and(|folder| belongs(&folder) && platform::is_closed_to_strangers(&folder))
        })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn the_link_of_a_package_manager_is_kept_and_nothing_else_is_taken_for_it() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let at = |name: &str| root.join(name);
        for folder in ["bin", "store/v1", "other"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        for file in ["store/v1/kwasm", "other/kwasm"] {
            fs::write(at(file), file).unwrap();
            fs::set_permissions(at(file), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let program = at("store/v1/kwasm");
        for link in ["bin/kwasm", "bin/kubectl-kwasm", "bin/kubectl-hello"] {
            symlink(&program, at(link)).unwrap();
        }
        let path = |called: &Path, search: &str| {
            let search = env::join_paths(search.split(' ').map(at)).unwrap();
            path(&program, &[called.into()], Some(&search))
        };
        assert_eq!(path("kwasm".as_ref(), "bin"), at("bin/kwasm"));
        assert_eq!(path("kubectl-kwasm".as_ref(), "bin"), at("bin/kubectl-kwasm"));
        assert_eq!(path(&at("bin/kubectl-kwasm"), "other"), at("bin/kubectl-kwasm"));
        // Another program of the name, a plugin's link, and none.
        assert_eq!(path("kwasm".as_ref(), "other bin"), program);
        assert_eq!(path(&at("other/kwasm"), "bin"), program);
        assert_eq!(path(&at("bin/kubectl-hello"), "bin"), program);
        assert_eq!(path("kwasm".as_ref(), "store"), program);
        assert_eq!(path(&program, "bin"), program);
        // Where everyone may put another link in its place.
        fs::set_permissions(at("bin"), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(path("kwasm".as_ref(), "bin"), program);
    }
}
