//! The folder of machine code: made once, mapped on later runs, and bounded.
//!
//! ```text
//! <hex of the content>-<engine>.cwasm    machine code
//! <hex of the content>-<engine>.verdict  why that content does not compile
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use super::code::Code;
use super::compiler::{self, Bounds, Watcher};
use super::{Error, engine};
use crate::defence::Defence;
use crate::inspect::{self, Feature};
use crate::platform::{self, disk};
use crate::store::{Places, Plugin, Store};

/// The most bytes that machine code takes which no installed plugin needs: some dozen plugins of an interpreted language.
pub const BUDGET: u64 = 512 << 20;

/// The most bytes of a verdict.
const LONGEST: u64 = 64 << 10;

/// Where compiled code is kept.
pub(super) struct Cache<'a> {
    /// `None` where there can be no such folder, on a read-only disk say: each run compiles then.
    folder: Option<PathBuf>,
    places: &'a Places,
}

/// What the cache has of a plugin.
#[derive(Debug, Eq, PartialEq)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// Something else than what it compiles to, in this file.
    Other(PathBuf),
    /// What it compiles to.
    Same,
}

/// A verdict, and by which rules it was found: those of another kwasm may be others.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Found {
    rules: String,
    verdict: Verdict,
}

/// Why a content does not compile: what is found once is true of the same content for as long as the rules are the same.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
enum Verdict {
    /// It breaks the rules of WebAssembly.
    Broken(String),
    /// It needs what does not run.
    Features(Vec<Feature>),
    /// The same, of what has no name here.
    UnnamedFeature(String),
    /// wasmtime does not compile it.
    Uncompiled(String),
}

impl<'a> Cache<'a> {
    /// Opens the folder, making it if need be.
    ///
    /// # Errors
    /// [`Error::Cache`] when the folder is somebody else's or open to others: code from there could be anyone's.
    pub(super) fn open(places: &'a Places) -> Result<Self, Error> {
        let folder = places.compiled();
        match platform::private_folder(&folder) {
            // What the system says, not what was found out about a folder that is there.
            Err(error) if error.raw_os_error().is_some() => Ok(Self { folder: None, places }),
            Err(source) if Defence::CacheOwner.stands() => Err(Error::Cache { path: folder, source }),
            _ => Ok(Self { folder: Some(folder), places }),
        }
    }

    /// Returns the plugin's machine code: mapped if it was compiled before, else compiled now.
    ///
    /// # Errors
    /// When the plugin's content is not what it was, or cannot be compiled.
    pub(super) fn load(
        &self,
        engine: &Engine,
        plugin: &Plugin,
        bounds: Bounds,
        watcher: &dyn Watcher,
    ) -> Result<Code, Error> {
        let kind = plugin.inspected().kind();
        let path = self.path(plugin, "cwasm");
        if let Some(code) = path.as_deref().and_then(|path| Code::map(engine, kind, path)) {
            path.as_deref().map(disk::touch_daily);
            return Ok(code);
        }
        let code = self.compile(plugin, bounds, watcher)?;
        // A cache that cannot be written costs a compilation at each run, and nothing else.
        let kept = path.filter(|path| self.keep(path, &code).is_ok());
        // To map what was kept is cheaper than to copy it, and what the next run will do.
        match kept.and_then(|path| Code::map(engine, kind, &path)) {
            Some(code) => Ok(code),
            None => Code::adopt(engine, kind, &code).map_err(|error| Error::compile(plugin, &error)),
        }
    }

    /// Compares what is kept of a plugin with what compiling it now gives.
    ///
    /// # Errors
    /// As [`Cache::load`].
    pub(super) fn compare(
        &self,
        plugin: &Plugin,
        bounds: Bounds,
        watcher: &dyn Watcher,
    ) -> Result<Kept, Error> {
        let Some(path) = self.path(plugin, "cwasm").filter(|path| path.exists()) else {
            return Ok(Kept::Nothing);
        };
        let code = self.compile(plugin, bounds, watcher)?;
        let same = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == code.len() as u64)
            && fs::read(&path).is_ok_and(|kept| kept == code);
        Ok(if same { Kept::Same } else { Kept::Other(path) })
    }

    /// Compiles a plugin, unless it is known that it does not compile.
    fn compile(&self, plugin: &Plugin, bounds: Bounds, watcher: &dyn Watcher) -> Result<Vec<u8>, Error> {
        let path = self.path(plugin, "verdict");
        if let Some(verdict) = path.as_deref().and_then(recall) {
            return Err(verdict.into_error(plugin));
        }
        let result = compiler::compile(plugin, bounds, watcher);
        let verdict = result.as_ref().err().and_then(Verdict::of);
        if let (Some(verdict), Some(path)) = (verdict, path)
            && let Ok(text) = serde_json::to_vec(&Found { rules: rules(), verdict })
        {
            // That it could not be remembered costs the next run the same time.
            drop(disk::replace_soon(&path, &text));
        }
        result
    }

    /// Writes code under a temporary name, synced, and renames it: a file that is mapped is never written to. A file
    /// made by `disk` is its owner's alone (0600). Whatever a killed kwasm was writing here goes first, and what is over the
    /// budget after it.
    fn keep(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        // What cannot be removed takes room, and nothing else.
        drop(disk::remove_abandoned(path.parent().unwrap_or(Path::new("."))));
        disk::Staged::write(path, code)?.sync()?.rename()?;
        // Nothing needs it to be smaller right now.
        drop(trim(self.places, BUDGET, Some(path)));
        Ok(())
    }

    fn path(&self, plugin: &Plugin, extension: &str) -> Option<PathBuf> {
        let name = format!("{}-{}.{extension}", plugin.digest().hex(), engine::key());
        self.folder.as_ref().map(|folder| folder.join(name))
    }
}

impl Verdict {
    /// What of an error depends on nothing but the content and the engine.
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

/// Reads a verdict, if it is one that only this user could have written.
fn recall(path: &Path) -> Option<Verdict> {
    let metadata = fs::symlink_metadata(path).ok()?;
    platform::check_private_file(&metadata).ok().filter(|()| metadata.len() <= LONGEST)?;
    let found: Found = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (found.rules == rules()).then_some(found.verdict)
}

/// What a verdict depends on beside the content and the engine, which are in its file's name.
fn rules() -> String {
    format!("kwasm {}, features {:x}", env!("CARGO_PKG_VERSION"), inspect::rules())
}

/// Removes machine code that no installed plugin needs, the longest unused first, until at most `budget` bytes of it are left.
/// Spares the file `newest`. Returns how many bytes went.
///
/// # Errors
/// When a folder cannot be read, or a file not be removed.
pub(super) fn trim(places: &Places, budget: u64, newest: Option<&Path>) -> io::Result<u64> {
    let needed = needed(places)?;
    disk::trim(&places.compiled(), &["cwasm", "verdict"], budget, |path| {
        Some(path) == newest || needed.contains(path)
    })
}

/// The files that installed plugins run by.
fn needed(places: &Places) -> io::Result<BTreeSet<PathBuf>> {
    let store = Store::new(places.clone());
    let digests = store.running().map_err(io::Error::other)?;
    let file = |digest: crate::reference::Digest| format!("{}-{}.cwasm", digest.hex(), engine::key());
    Ok(digests.into_iter().map(|digest| places.compiled().join(file(digest))).collect())
}
