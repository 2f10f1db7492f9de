//! Checks of the installed plugins: whether they are unaltered.

use std::fs;

use super::check::{Check, Patient, Problem, count, reinstall};
use crate::message::Explain;
use crate::platform::shell::{self, path_word};
use crate::reference::Digest;
use crate::registry::Artifact;
use crate::runtime::{self, Compiler, Unwatched};
use crate::store::Receipt;

/// Checks that each plugin's receipt can be read.
pub(super) fn receipts(patient: &Patient<'_>) -> Check {
    let again = |name| format!("kwasm uninstall {name}, and install it again");
    let problems = patient.broken.iter().map(|(name, error)| {
        let cure = if error.is_forbidden() { readable(patient) } else { again(name) };
        Problem::of(name.as_str(), error, cure)
    });
    let found = count(patient.plugins.len(), "plugin");
    Check { name: "receipts", found, problems: problems.collect() }
}

/// Returns the command with which the owner of a store lets all others run its plugins.
fn readable(patient: &Patient<'_>) -> String {
    format!("chmod -R a+rX {}", path_word(patient.store.places().root()))
}

/// Checks that every file that a plugin needs exists and has its full size.
pub(super) fn contents(patient: &Patient<'_>) -> Check {
    let mut looked_at = 0;
    let problems = each_blob(patient, |receipt, digest| {
        looked_at += 1;
        let path = patient.store.places().blob(digest);
        let why = match fs::metadata(&path) {
            Err(error) => format!("{} needs it: {error}", receipt.name),
            Ok(metadata) if !metadata.is_file() => format!("{} needs it: it is not a file", receipt.name),
            Ok(metadata) if digest == receipt.digest && metadata.len() != receipt.size => {
                format!("it has {} bytes, and had {}", metadata.len(), receipt.size)
            }
            Ok(_) => return None,
        };
        Some(Problem::at(&path, why, reinstall(receipt)))
    });
    Check { name: "contents", found: format!("{} that they need", count(looked_at, "file")), problems }
}

/// Checks the files of the plugins by their digests.
pub(super) fn digests(patient: &Patient<'_>) -> Check {
    let mut looked_at = 0;
    let problems = each_blob(patient, |receipt, digest| {
        looked_at += 1;
        let path = patient.store.places().blob(digest);
        match Artifact::from_file(&path) {
            Ok(kept) if kept.digest() == digest => None,
            Ok(kept) => {
                let why = format!("its content has changed: it is {}", kept.digest());
                Some(Problem::at(&path, why, reinstall(receipt)))
            }
            Err(error) if error.is_forbidden() => {
                Some(Problem::of(receipt.name.as_str(), &error, readable(patient)))
            }
            Err(error) => Some(Problem::of(receipt.name.as_str(), &error, reinstall(receipt))),
        }
    });
    Check { name: "digests", found: format!("{} unchanged", count(looked_at, "file")), problems }
}

/// Checks that the cached machine code is what compiling produces.
pub(super) fn compiled(patient: &Patient<'_>) -> Check {
    let mut kept = 0;
    let mut problems = Vec::new();
    let compiler = match Compiler::new(patient.store.places(), patient.environment, &Unwatched) {
        Ok(compiler) => compiler,
        Err(error) => {
            let cure = error.hint().unwrap_or_default();
            let problems = vec![Problem::of("environment", &error, cure)];
            return Check { name: "compiled", found: String::new(), problems };
        }
    };
    for receipt in &patient.plugins {
        let plugin = match patient.store.find(&receipt.name) {
            Ok(plugin) => plugin,
            Err(error) => {
                problems.push(Problem::of(receipt.name.as_str(), &error, reinstall(receipt)));
                continue;
            }
        };
        match compiler.compare(&plugin) {
            Ok(runtime::Kept::Nothing) => {}
            Ok(runtime::Kept::Same) => kept += 1,
            Ok(runtime::Kept::Other(path)) => problems.push(Problem::at(
                &path,
                format!("it is not what {} compiles to", receipt.name),
                shell::remove(&path),
            )),
            Err(error) => {
                // To install it again would run into the same bound.
                let bound = matches!(error, runtime::Error::Bound { .. });
                let cure = error.hint().filter(|_| bound).unwrap_or_else(|| reinstall(receipt));
                problems.push(Problem::of(receipt.name.as_str(), &error, cure));
            }
        }
    }
    Check {
        name: "compiled",
        found: format!("{} unchanged when compiled again", count(kept, "plugin")),
        problems,
    }
}

/// Visits every blob of every plugin once.
fn each_blob(
    patient: &Patient<'_>,
    mut look: impl FnMut(&Receipt, Digest) -> Option<Problem>,
) -> Vec<Problem> {
    let mut seen = Vec::new();
    let mut problems = Vec::new();
    for receipt in &patient.plugins {
        for digest in receipt.blobs() {
            if let Err(index) = seen.binary_search(&digest) {
                seen.insert(index, digest);
                problems.extend(look(receipt, digest));
            }
        }
    }
    problems
}
