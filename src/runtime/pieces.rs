//! The pieces of a plugin that are compiled apart: the libraries that it brings, which are the same in many plugins, and the
//! rest of it.
//!
//! ```text
//! <hex of the content>-<engine>.pieces  which libraries the plugin with that content brings
//! ```

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::engine;
use super::tier::Tier;
use crate::inspect::{self, Kind};
use crate::platform::{self, disk};
use crate::reference::Digest;
use crate::store::Plugin;

/// A piece of a plugin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    /// The digest of the library, or of the whole plugin.
    digest: Digest,
    /// Whether it is what is left of a plugin without its libraries.
    is_rest: bool,
    /// The offset in the plugin at which a library begins.
    pub(super) start: usize,
}

/// The pieces of a plugin: that which runs first, then its libraries in the order of its imports.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Pieces(Vec<Piece>);

/// A library as it is recorded.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Record {
    digest: Digest,
    start: usize,
}

/// The largest size of a record in bytes.
const LONGEST: u64 = 64 << 10;

impl Piece {
    /// Returns the name of the file of its machine code.
    pub(super) fn file(&self, tier: Tier) -> String {
        let rest = if self.is_rest { "-rest" } else { "" };
        let tier = match tier {
            Tier::Baseline => "-baseline",
            Tier::Optimized => "",
        };
        name(self.digest, &format!("{rest}{tier}.cwasm"))
    }
}

impl Pieces {
    /// Takes a valid plugin apart. Returns its pieces and the content of each.
    pub(super) fn of(plugin: &Plugin, content: &Bytes) -> (Self, Vec<Bytes>) {
        let kind = plugin.inspected().kind();
        let apart = match kind {
            Kind::Component => inspect::apart(content),
            Kind::Core => None,
        };
        let Some(apart) = apart else {
            return (Self::with(plugin.digest(), kind, Vec::new()), vec![content.clone()]);
        };
        let libraries: Vec<Bytes> =
            apart.libraries.iter().map(|range| content.slice(range.clone())).collect();
        let records = apart.libraries.iter().zip(&libraries);
        let records =
            records.map(|(range, library)| Record { digest: Digest::of(library), start: range.start });
        let pieces = Self::with(plugin.digest(), kind, records.collect());
        (pieces, [vec![apart.rest.into()], libraries].concat())
    }

    /// Returns the pieces of a plugin as they were recorded in this folder, if there is one: a single piece, if nothing is
    /// recorded or could have been by others.
    pub(super) fn recorded(digest: Digest, kind: Kind, folder: Option<&Path>) -> Self {
        let records = || -> Option<Vec<Record>> {
            let path = folder?.join(record(digest));
            let metadata = fs::symlink_metadata(&path).ok()?;
            platform::check_private_file(&metadata).ok().filter(|()| metadata.len() <= LONGEST)?;
            serde_json::from_slice(&fs::read(path).ok()?).ok()
        };
        Self::with(digest, kind, records().unwrap_or_default())
    }

    /// Records which they are, for the next run, which does not read the plugin.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn record(&self, folder: &Path) -> io::Result<()> {
        let [main, libraries @ ..] = &self.0[..] else { return Ok(()) };
        if libraries.is_empty() {
            return Ok(());
        }
        let records = libraries.iter().map(|piece| Record { digest: piece.digest, start: piece.start });
        let text = serde_json::to_vec(&records.collect::<Vec<_>>())?;
        disk::replace_soon(&folder.join(record(main.digest)), &text)
    }

    fn with(digest: Digest, kind: Kind, libraries: Vec<Record>) -> Self {
        let main = Piece { kind, digest, is_rest: !libraries.is_empty(), start: 0 };
        let libraries = libraries.into_iter().map(|Record { digest, start }| Piece {
            kind: Kind::Core,
            digest,
            is_rest: false,
            start,
        });
        Self(std::iter::once(main).chain(libraries).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Piece> {
        self.0.iter()
    }
}

/// Returns the name of a file about a content.
pub(super) fn name(digest: Digest, suffix: &str) -> String {
    format!("{}-{}{suffix}", digest.hex(), engine::key())
}

/// Returns the name of the file in which a plugin's pieces are recorded.
pub(super) fn record(digest: Digest) -> String {
    name(digest, ".pieces")
}
