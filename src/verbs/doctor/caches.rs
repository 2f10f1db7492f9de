//! Checks of the caches: their sizes, and whether others could have written to them.

use std::fs;
use std::path::Path;

use super::check::{Check, Patient};
use crate::platform::disk;
use crate::runtime;
use crate::store::Store;
use crate::verbs::{Error, Reporter};

/// Reports the sizes of the caches, which limit themselves.
pub(super) fn sizes(patient: &Patient<'_>) -> Check {
    let places = patient.store.places();
    let (compiled, fetched) = (size(&places.compiled()), size(&places.fetched()));
    let (compiled, fetched) = (indicatif::HumanBytes(compiled), indicatif::HumanBytes(fetched));
    let found = format!("{compiled} of compiled code, {fetched} of downloads");
    Check { name: "caches", found, problems: Vec::new() }
}

/// Removes everything that no plugin of this store needs. Others lose only the time to compile or download it
/// again.
pub(super) fn clean(store: &Store, reporter: Reporter) -> Result<(), Error> {
    let places = store.places();
    let write_failed = |folder: &Path, source| Error::Unwritten { path: folder.into(), source };
    let mut gone = runtime::trim(places, 0).map_err(|source| write_failed(&places.compiled(), source))?;
    for (folder, extension) in [(places.fetched(), "wasm"), (places.seen(), "json")] {
        gone += disk::trim(&folder, &[extension], 0, |_| false)
            .map_err(|source| write_failed(&folder, source))?;
    }
    reporter.note(&format!("removed {} from the caches", indicatif::HumanBytes(gone)));
    Ok(())
}

fn size(folder: &Path) -> u64 {
    let entries = disk::entries(folder).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata: fs::Metadata| metadata.len())
        .sum()
}
