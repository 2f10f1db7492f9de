//! The cache of machine code: compiled once, mapped on later runs, and limited in size.
//!
//! ```text
//! <hex of the content>-<engine>.cwasm           machine code, optimized
//! <hex of the content>-<engine>-baseline.cwasm  machine code that is not, until that is there
//! <hex of the content>-<engine>.verdict         why that content does not compile
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use super::attempts::Attempts;
use super::code::Code;
use super::compiler::{self, Bounds, Watcher};
use super::tier::{Schedule, Tier};
use super::{Error, engine};
use crate::defence::Defence;
use crate::inspect::{self, Feature};
use crate::platform::{self, disk};
use crate::reference::Digest;
use crate::store::{Places, Plugin, Store};

/// The largest total size, in bytes, of machine code that no installed plugin needs: some dozen plugins of an
/// interpreted language.
pub const BUDGET: u64 = 512 << 20;

/// The largest size of a verdict in bytes.
const LONGEST: u64 = 64 << 10;

/// The folder of compiled code.
pub(super) struct Cache<'a> {
    /// The folder; `None` if there cannot be one, e.g. on a read-only disk, so that each run compiles.
    folder: Option<PathBuf>,
    places: &'a Places,
}

/// The cached code of a plugin, compared with compiling it again.
#[derive(Debug, Eq, PartialEq)]
pub enum Kept {
    /// Nothing is cached.
    Nothing,
    /// This file differs from the compiled code.
    Other(PathBuf),
    /// The cached code is the same.
    Same,
}

/// A verdict, and the rules by which it was found, which may differ in another kwasm.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Found {
    rules: String,
    verdict: Verdict,
}

/// The reason why a content does not compile, which stays true for the same content under the same rules.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
enum Verdict {
    /// The content is not valid WebAssembly.
    Broken(String),
    /// The content needs features that kwasm does not run.
    Features(Vec<Feature>),
    /// The content needs a feature that has no name here.
    UnnamedFeature(String),
    /// wasmtime does not compile the content.
    Uncompiled(String),
}

impl<'a> Cache<'a> {
    /// Opens the folder, and creates it if necessary.
    ///
    /// # Errors
    /// [`Error::Cache`] if the folder belongs to another user or is open to others, who could have written
    /// the code.
    pub(super) fn open(places: &'a Places) -> Result<Self, Error> {
        let folder = places.compiled();
        match platform::private_folder(&folder) {
            // An error of the system, not a finding about an existing folder.
            Err(error) if error.raw_os_error().is_some() => Ok(Self { folder: None, places }),
            Err(source) if Defence::CacheOwner.stands() => Err(Error::Cache { path: folder, source }),
            _ => Ok(Self { folder: Some(folder), places }),
        }
    }

    /// Returns the plugin's machine code and its tier: mapped if it was compiled before, otherwise compiled now.
    ///
    /// # Errors
    /// If the plugin's content was altered or cannot be compiled.
    pub(super) fn load(
        &self,
        engine: &Engine,
        plugin: &Plugin,
        schedule: Schedule,
        bounds: Bounds,
        watcher: &dyn Watcher,
    ) -> Result<(Code, Tier), Error> {
        let kind = plugin.inspected().kind();
        for tier in schedule.tiers() {
            let Some(path) = self.code(plugin, *tier) else { continue };
            if let Some(code) = Code::map(engine, kind, &path) {
                disk::touch_daily(&path);
                return Ok((code, *tier));
            }
            // What is there and is not run would be taken for code that need not be made.
            if fs::symlink_metadata(&path).is_ok() {
                drop(disk::remove(&path));
            }
        }
        let content = plugin.content()?;
        let tier = schedule.first_tier(content.len());
        let code = self.compile(plugin, content, tier, bounds, watcher)?;
        // A cache that cannot be written costs a compilation at each run, and nothing else.
        let kept = self.code(plugin, tier).filter(|path| self.keep(path, &code).is_ok());
        // Mapping the file is cheaper than copying it, and is what the next run will do.
        match kept.and_then(|path| Code::map(engine, kind, &path)) {
            Some(code) => Ok((code, tier)),
            None => Code::adopt(engine, kind, &code)
                .map(|code| (code, tier))
                .map_err(|error| Error::compile(plugin, &error)),
        }
    }

    /// Returns whether a plugin runs from code that is not optimized, and nobody is optimizing it.
    pub(super) fn waits_to_be_optimized(&self, plugin: &Plugin) -> bool {
        let exists = |tier| self.code(plugin, tier).is_some_and(|path| path.exists());
        exists(Tier::Baseline)
            && !exists(Tier::Optimized)
            && self.path(plugin, ".attempts").is_some_and(|path| Attempts::are_left(&path))
    }

    /// Compiles a plugin with all optimizations, from which it runs from now on, unless that is done or under way.
    ///
    /// # Errors
    /// If the plugin's content was altered or cannot be compiled, or the code cannot be written.
    pub(super) fn optimize(
        &self,
        plugin: &Plugin,
        bounds: Bounds,
        watcher: &dyn Watcher,
    ) -> Result<(), Error> {
        let (Some(attempts), Some(code)) =
            (self.path(plugin, ".attempts"), self.code(plugin, Tier::Optimized))
        else {
            return Ok(());
        };
        let Some(attempts) = Attempts::begin(&attempts).map_err(Error::system)? else {
            return Ok(());
        };
        // By another process, since this one was started.
        if !code.exists() {
            let content = plugin.content()?;
            let optimized = self.compile(plugin, content, Tier::Optimized, bounds, watcher)?;
            self.keep(&code, &optimized).map_err(Error::system)?;
        }
        attempts.end().map_err(Error::system)?;
        // It stays mapped where it runs; on Windows, it stays until the cache is trimmed.
        drop(self.code(plugin, Tier::Baseline).map(|baseline| disk::remove(&baseline)));
        Ok(())
    }

    /// Compares the cached code of a plugin with compiling it again.
    ///
    /// # Errors
    /// The same as [`Cache::load`].
    pub(super) fn compare(
        &self,
        plugin: &Plugin,
        bounds: Bounds,
        watcher: &dyn Watcher,
    ) -> Result<Kept, Error> {
        let kept =
            [Tier::Optimized, Tier::Baseline].map(|tier| self.code(plugin, tier).map(|path| (tier, path)));
        let Some((tier, path)) = kept.into_iter().flatten().find(|(_, path)| path.exists()) else {
            return Ok(Kept::Nothing);
        };
        let code = self.compile(plugin, plugin.content()?, tier, bounds, watcher)?;
        let same = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == code.len() as u64)
            && fs::read(&path).is_ok_and(|kept| kept == code);
        Ok(if same { Kept::Same } else { Kept::Other(path) })
    }

    /// Compiles a plugin, unless it is known not to compile.
    fn compile(
        &self,
        plugin: &Plugin,
        content: Bytes,
        tier: Tier,
        bounds: Bounds,
        watcher: &dyn Watcher,
    ) -> Result<Vec<u8>, Error> {
        let path = self.path(plugin, ".verdict");
        if let Some(verdict) = path.as_deref().and_then(recall) {
            return Err(verdict.into_error(plugin));
        }
        let result = compiler::compile(plugin, content, tier, bounds, watcher);
        let verdict = result.as_ref().err().and_then(Verdict::of);
        if let (Some(verdict), Some(path)) = (verdict, path)
            && let Ok(text) = serde_json::to_vec(&Found { rules: rules(), verdict })
        {
            // That it could not be remembered costs the next run the same time.
            drop(disk::replace_soon(&path, &text));
        }
        result
    }

    /// Writes code under a temporary name, syncs it, and renames it, since a mapped file must never be
    /// written to. A file created by `disk` is readable by its owner only (0600). Files that a killed kwasm
    /// left here are removed first, and those beyond the budget afterwards.
    fn keep(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        // What cannot be removed takes room, and nothing else.
        drop(disk::remove_abandoned(path.parent().unwrap_or(Path::new("."))));
        disk::Staged::write(path, code)?.sync()?.rename()?;
        // Nothing needs it to be smaller right now.
        drop(trim(self.places, BUDGET, Some(path)));
        Ok(())
    }

    /// Returns the place of a plugin's machine code.
    fn code(&self, plugin: &Plugin, tier: Tier) -> Option<PathBuf> {
        self.path(plugin, suffix(tier))
    }

    fn path(&self, plugin: &Plugin, suffix: &str) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(name(plugin.digest(), suffix)))
    }
}

/// Returns the name of a file about a content.
fn name(digest: Digest, suffix: &str) -> String {
    format!("{}-{}{suffix}", digest.hex(), engine::key())
}

/// Returns the end of the name of machine code.
fn suffix(tier: Tier) -> &'static str {
    match tier {
        Tier::Baseline => "-baseline.cwasm",
        Tier::Optimized => ".cwasm",
    }
}

impl Verdict {
    /// Returns the part of an error that depends only on the content and the engine.
    fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Unfit { source: inspect::Error::Features(features), .. } => {
                Some(Self::Features(features.clone()))
            }
            Error::Unfit { source: inspect::Error::UnnamedFeature(reason), .. } => {
                Some(Self::UnnamedFeature(reason.clone()))
            }
            Error::Unfit { source: inspect::Error::Broken(reason), .. } => Some(Self::Broken(reason.clone())),
            Error::Compile { reason, .. } => Some(Self::Uncompiled(reason.clone())),
            _ => None,
        }
    }

    fn into_error(self, plugin: &Plugin) -> Error {
        let plugin = plugin.name().to_owned();
        let source = match self {
            Self::Broken(reason) => inspect::Error::Broken(reason),
            Self::Features(features) => inspect::Error::Features(features),
            Self::UnnamedFeature(reason) => inspect::Error::UnnamedFeature(reason),
            Self::Uncompiled(reason) => return Error::Compile { plugin, reason },
        };
        Error::Unfit { plugin, source }
    }
}

/// Reads a verdict, if only this user could have written it.
fn recall(path: &Path) -> Option<Verdict> {
    let metadata = fs::symlink_metadata(path).ok()?;
    platform::check_private_file(&metadata).ok().filter(|()| metadata.len() <= LONGEST)?;
    let found: Found = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (found.rules == rules()).then_some(found.verdict)
}

/// Returns the versions of the rules on which a verdict depends, beside the content and the engine in its
/// file's name.
fn rules() -> String {
    format!("kwasm {}, features {:x}", env!("CARGO_PKG_VERSION"), inspect::rules())
}

/// Removes machine code that no installed plugin needs, the least recently used first, until at most `budget`
/// bytes of it are left. Keeps the file `newest`. Returns how many bytes were freed.
///
/// # Errors
/// If a folder cannot be read, or a file cannot be removed.
pub(super) fn trim(places: &Places, budget: u64, newest: Option<&Path>) -> io::Result<u64> {
    let needed = needed(places)?;
    disk::trim(&places.compiled(), &["attempts", "cwasm", "verdict"], budget, |path| {
        Some(path) == newest || needed.contains(path)
    })
}

/// Returns the files that installed plugins run from.
fn needed(places: &Places) -> io::Result<BTreeSet<PathBuf>> {
    let store = Store::new(places.clone());
    let digests = store.running().map_err(io::Error::other)?;
    let tiers = [Tier::Optimized, Tier::Baseline];
    let files = |digest| tiers.map(|tier| places.compiled().join(name(digest, suffix(tier))));
    Ok(digests.into_iter().flat_map(files).collect())
}
