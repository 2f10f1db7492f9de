//! Remembers the digest of a file that ran, so that the next run neither reads nor hashes it.
//!
//! A file is recognised by device, inode, size and both times. This is only a cache: if an entry is not
//! usable, the file is read instead.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Places, files};
use crate::inspect::Inspected;
use crate::platform::{self, FileIdentity, disk};
use crate::reference::Digest;

/// The cached facts about a file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    /// What was looked for in the file: [`FORM`], unless an earlier kwasm wrote it.
    form: u32,
    identity: FileIdentity,
    pub(super) digest: Digest,
    pub(super) inspected: Inspected,
}

/// The number of the facts that an entry has. An earlier kwasm did not read requests, so that its entries
/// cannot say that a file has none.
const FORM: u32 = 2;

/// The largest size of an entry that is read, in bytes: the same as of a receipt, which consists mostly of
/// the same facts. A request takes six times its own size at most, if JSON escapes all of it.
const LONGEST: u64 = 1 << 20;

/// The largest total size of all entries in bytes: some thousand files, or some twenty with requests that are
/// as large as they can be.
const BUDGET: u64 = 8 << 20;

/// The time that must pass between the last change of a file and its reading, in nanoseconds. A file that
/// changed later might change again without a visible change of its times, which are as coarse as the file
/// system's clock. The same rule keeps git's index correct ("racily clean" entries).
const SETTLED: i128 = 2_000_000_000;

/// Returns the cached facts about the file with this identity.
pub(super) fn recall(places: &Places, identity: &FileIdentity) -> Option<Seen> {
    let folder = places.seen();
    let path = entry(places, identity);
    // The entry decides which machine code runs for a file, so it must be as much the user's own as that code.
    let metadata = fs::symlink_metadata(&path).ok()?;
    platform::check_private_file(&metadata).ok()?;
    platform::private_folder(&folder).ok()?;
    let seen: Seen = serde_json::from_slice(&files::read(&path, LONGEST).ok()?).ok()?;
    (seen.form == FORM && seen.identity == *identity).then_some(seen)
}

/// Remembers a file, if it has been unchanged for long enough. Errors are ignored.
pub(super) fn remember(places: &Places, identity: FileIdentity, digest: Digest, inspected: &Inspected) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(0));
    if now - identity.changed_at() < SETTLED || platform::private_folder(&places.seen()).is_err() {
        return;
    }
    let path = entry(places, &identity);
    if let Ok(text) = serde_json::to_vec(&Seen { form: FORM, identity, digest, inspected: inspected.clone() })
    {
        drop(disk::replace_soon(&path, &text));
        drop(disk::trim(&places.seen(), &["json"], BUDGET, |kept| kept == path));
    }
}

fn entry(places: &Places, identity: &FileIdentity) -> PathBuf {
    places.seen().join(format!("{}.json", identity.file()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{LONGEST_REQUEST, embed};

    #[test]
    fn the_largest_request_fits_into_an_entry_however_it_is_escaped() {
        let module = wat::parse_str("(module (func (export \"_start\")))").unwrap();
        let asking = embed(&module, &"\u{1}".repeat(LONGEST_REQUEST)).unwrap();
        let text = serde_json::to_vec(&Inspected::read(&asking).unwrap()).unwrap();
        // The rest has the names of the imports, which a receipt has too.
        assert!(text.len() as u64 * 2 < LONGEST, "{}", text.len());
        assert!(BUDGET / text.len() as u64 >= 20);
    }
}
