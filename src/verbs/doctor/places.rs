//! Checks of the folders: whether they are the user's own, and whether the other files that a run needs can
//! be read.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use super::check::{Check, Patient, Problem};
use crate::platform::shell::{self, path_word};
use crate::platform::{self, Owner, disk};

/// Checks that no one else can place files there for this user to run.
pub(super) fn private(patient: &Patient<'_>) -> Check {
    let places = patient.store.places();
    let mut problems = Vec::new();
    if let Some(error) = &patient.unsettled {
        problems.push(Problem::of("the store", error, format!("ls -ld {}", path_word(places.root()))));
    }
    let mut whose = "you";
    // Receipts say what runs, and what it may do.
    match fs::metadata(places.root()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            problems.push(Problem::at(
                places.root(),
                error.to_string(),
                "export KWASM_HOME=\"$HOME/.kwasm\"",
            ));
        }
        Ok(root) => {
            if !platform::is_owners_to_write(&root) {
                let cure = format!("chmod -R go-w {}", path_word(places.root()));
                problems.push(Problem::at(places.root(), "others may write to it", cure));
            }
            match platform::owner(&root) {
                Owner::User => {}
                Owner::System => whose = "root",
                Owner::Other => {
                    let cure = "export KWASM_HOME=\"$HOME/.kwasm\"";
                    problems.push(Problem::at(places.root(), "it belongs to another user", cure));
                }
            }
        }
    }
    let kubeconfigs = disk::entries(&places.kubeconfigs()).unwrap_or_default();
    let private = kubeconfigs.iter().map(fs::DirEntry::path).chain([
        places.compiled(),
        places.fetched(),
        places.seen(),
    ]);
    for folder in private {
        problems.extend(open_to_others(&folder, platform::check_folder));
    }
    for code in disk::entries(&places.compiled()).unwrap_or_default() {
        problems.extend(open_to_others(&code.path(), platform::check_private_file));
    }
    Check {
        name: "store",
        found: format!("{} is writable only by {whose}", places.root().display()),
        problems,
    }
}

/// Reports a file of the cache that others could have altered. It can always be removed.
fn open_to_others(path: &Path, check: fn(&Metadata) -> io::Result<()>) -> Option<Problem> {
    match fs::symlink_metadata(path).and_then(|metadata| check(&metadata)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Some(Problem::at(path, error.to_string(), shell::remove(path)))
        }
        _ => None,
    }
}
