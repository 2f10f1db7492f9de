//! The cache of machine code: compiled once, mapped on later runs, and limited in size.
//!
//! ```text
//! <hex of the content>-<engine>.cwasm                machine code of a plugin or of a library, optimized
//! <hex of the content>-<engine>-baseline.cwasm       machine code that is not, until that is there
//! <hex of the content>-<engine>-rest[-baseline].cwasm  that of a plugin without its libraries
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use wasmtime::Engine;

use super::Error;
use super::attempts::Attempts;
use super::code::{Code, Form};
use super::compiler::{self, Job, Means};
use super::engine::Runner;
use super::pieces::{self, Piece, Pieces};
use super::tier::{Schedule, Tier};
use super::verdict;
use crate::defence::Defence;
use crate::inspect::Kind;
use crate::platform::{self, disk};
use crate::store::{Places, Plugin, Store};

/// How often what is lacking of a plugin is compiled, if other pieces of it are removed meanwhile to make room.
const ATTEMPTS: usize = 3;

/// The largest total size, in bytes, of machine code that no installed plugin needs: some dozen plugins of an
/// interpreted language.
pub const BUDGET: u64 = 512 << 20;

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

    /// Returns the plugin's machine code: mapped if it was compiled before, otherwise compiled now.
    ///
    /// # Errors
    /// If the plugin's content was altered or cannot be compiled.
    pub(super) fn load(
        &self,
        runner: Runner,
        plugin: &Plugin,
        schedule: Schedule,
        means: Means<'_>,
    ) -> Result<Code, Error> {
        let pieces = self.recorded(plugin);
        for lowest in schedule.tiers() {
            let engine = runner.engine(*lowest).map_err(Error::system)?;
            let mapped = pieces.iter().map(|piece| self.map(&engine, piece, schedule.tiers_down_to(*lowest)));
            if let Some(mapped) = mapped.collect::<Option<Vec<_>>>() {
                return assembled(&pieces, mapped);
            }
        }
        self.make(runner, plugin, schedule, means)
    }

    /// Compiles those pieces of a plugin of which there is no machine code. Another plugin may have brought the same libraries.
    fn make(
        &self,
        runner: Runner,
        plugin: &Plugin,
        schedule: Schedule,
        means: Means<'_>,
    ) -> Result<Code, Error> {
        for _ in 0..ATTEMPTS {
            if let Some(code) = self.make_lacking(runner, plugin, schedule, means)? {
                return Ok(code);
            }
        }
        Err(Error::system("what was compiled of the plugin is removed again and again"))
    }

    /// Does that once. Returns `None` if a piece that was there is gone since, as when another process makes room.
    fn make_lacking(
        &self,
        runner: Runner,
        plugin: &Plugin,
        schedule: Schedule,
        means: Means<'_>,
    ) -> Result<Option<Code>, Error> {
        let (pieces, contents) = self.apart(plugin)?;
        let any = runner.engine(Tier::Baseline).map_err(Error::system)?;
        let there = pieces.iter().map(|piece| Some(self.map(&any, piece, schedule.tiers())?.1));
        let there: Vec<_> = there.collect();
        let wanted = contents.into_iter().zip(pieces.iter()).zip(&there).filter(|(_, there)| there.is_none());
        let jobs = wanted.map(|((content, piece), _)| {
            let tier = schedule.first_tier(content.len());
            Job { kind: piece.kind, content, tier }
        });
        let made = self.compile(plugin, jobs.collect(), means)?;
        if let Some(folder) = &self.folder {
            // What cannot be recorded or kept is compiled at each run, and nothing else.
            drop(pieces.record(folder));
        }
        let tiers = there.iter().flatten().chain(made.iter().map(|(tier, _)| tier));
        let lowest = tiers.min().copied().unwrap_or(Tier::Optimized);
        let engine = runner.engine(lowest).map_err(Error::system)?;
        let mut made = made.into_iter();
        let mut forms = Vec::new();
        for (piece, there) in pieces.iter().zip(there) {
            let made = if there.is_none() { made.next() } else { None };
            forms.push(match made {
                Some((tier, code)) => {
                    let form = self.kept(&engine, piece, tier, &code);
                    (form.map_err(|error| Error::compile(plugin, &error))?, tier)
                }
                None => match self.map(&engine, piece, schedule.tiers_down_to(lowest)) {
                    Some(form) => form,
                    None => return Ok(None),
                },
            });
        }
        assembled(&pieces, forms).map(Some)
    }

    /// Keeps a piece's machine code and maps the file, which is cheaper than copying it, and is what the next run will do.
    fn kept(&self, engine: &Engine, piece: &Piece, tier: Tier, code: &[u8]) -> wasmtime::Result<Form> {
        let kept = self.file(piece, tier).filter(|path| self.keep(path, code).is_ok());
        match kept.and_then(|path| Form::map(engine, piece.kind, &path)) {
            Some(form) => Ok(form),
            None => Form::adopt(engine, piece.kind, code),
        }
    }

    /// Maps a piece's machine code in the best of these tiers that there is.
    fn map(&self, engine: &Engine, piece: &Piece, tiers: &[Tier]) -> Option<(Form, Tier)> {
        for tier in tiers {
            let path = self.file(piece, *tier)?;
            if let Some(form) = Form::map(engine, piece.kind, &path) {
                disk::touch_daily(&path);
                return Some((form, *tier));
            }
            // What is there and is not run would be taken for code that need not be made.
            if fs::symlink_metadata(&path).is_ok() {
                drop(disk::remove(&path));
            }
        }
        None
    }

    /// Returns whether a plugin runs from code that is not optimized, and nobody is optimizing it.
    pub(super) fn waits_to_be_optimized(&self, plugin: &Plugin) -> bool {
        self.recorded(plugin)
            .iter()
            .any(|piece| self.exists(piece, Tier::Baseline) && !self.exists(piece, Tier::Optimized))
            && self.path(plugin, ".attempts").is_some_and(|path| Attempts::are_left(&path))
    }

    /// Compiles a plugin with all optimizations, from which it runs from now on, unless that is done or under way.
    ///
    /// # Errors
    /// If the plugin's content was altered or cannot be compiled, or the code cannot be written.
    pub(super) fn optimize(&self, plugin: &Plugin, means: Means<'_>) -> Result<(), Error> {
        let Some(attempts) = self.path(plugin, ".attempts") else { return Ok(()) };
        let Some(attempts) = Attempts::begin(&attempts).map_err(Error::system)? else {
            return Ok(());
        };
        let recorded = self.recorded(plugin);
        // All may be optimized by another process, since this one was started.
        let is_done = recorded.iter().all(|piece| self.exists(piece, Tier::Optimized));
        let pieces = if is_done { recorded } else { self.make_optimized(plugin, means)? };
        attempts.end().map_err(Error::system)?;
        for baseline in pieces.iter().filter_map(|piece| self.file(piece, Tier::Baseline)) {
            // It stays mapped where it runs; on Windows, it stays until the cache is trimmed.
            drop(disk::remove(&baseline));
        }
        Ok(())
    }

    /// Compiles those pieces of a plugin with all optimizations that are not there so, by another plugin. Returns all of them.
    fn make_optimized(&self, plugin: &Plugin, means: Means<'_>) -> Result<Pieces, Error> {
        let (pieces, contents) = self.apart(plugin)?;
        let wanted = pieces.iter().zip(contents).filter(|(piece, _)| !self.exists(piece, Tier::Optimized));
        let (wanted, jobs): (Vec<_>, Vec<_>) = wanted
            .map(|(piece, content)| (piece, Job { kind: piece.kind, content, tier: Tier::Optimized }))
            .unzip();
        for (piece, (tier, code)) in wanted.into_iter().zip(self.compile(plugin, jobs, means)?) {
            if let Some(path) = self.file(piece, tier) {
                self.keep(&path, &code).map_err(Error::system)?;
            }
        }
        Ok(pieces)
    }

    /// Compares the cached code of a plugin with compiling it again.
    ///
    /// # Errors
    /// The same as [`Cache::load`].
    pub(super) fn compare(&self, plugin: &Plugin, means: Means<'_>) -> Result<Kept, Error> {
        let kept = |piece: &Piece| {
            let found =
                [Tier::Optimized, Tier::Baseline].into_iter().find(|tier| self.exists(piece, *tier))?;
            Some((found, self.file(piece, found)?))
        };
        if self.recorded(plugin).iter().all(|piece| kept(piece).is_none()) {
            return Ok(Kept::Nothing);
        }
        let (pieces, contents) = self.apart(plugin)?;
        let kept = pieces.iter().zip(contents).filter_map(|(piece, content)| {
            let (tier, path) = kept(piece)?;
            Some((path, Job { kind: piece.kind, content, tier }))
        });
        let (paths, jobs): (Vec<_>, Vec<_>) = kept.unzip();
        for (path, (_, code)) in paths.into_iter().zip(self.compile(plugin, jobs, means)?) {
            let same = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == code.len() as u64)
                && fs::read(&path).is_ok_and(|kept| kept == code);
            if !same {
                return Ok(Kept::Other(path));
            }
        }
        Ok(Kept::Same)
    }

    /// Returns the pieces of a plugin as they were when it was compiled.
    fn recorded(&self, plugin: &Plugin) -> Pieces {
        Pieces::recorded(plugin.digest(), plugin.inspected().kind(), self.folder.as_deref())
    }

    /// Validates a plugin and takes it apart, unless it is known not to compile.
    fn apart(&self, plugin: &Plugin) -> Result<(Pieces, Vec<Bytes>), Error> {
        let content = plugin.content()?;
        verdict::judged(plugin, self.path(plugin, ".verdict").as_deref(), || {
            compiler::validate(plugin, &content)?;
            Ok(Pieces::of(plugin, &content))
        })
    }

    /// Compiles pieces of a plugin.
    fn compile(
        &self,
        plugin: &Plugin,
        jobs: Vec<Job>,
        means: Means<'_>,
    ) -> Result<Vec<(Tier, Vec<u8>)>, Error> {
        verdict::judged(plugin, self.path(plugin, ".verdict").as_deref(), || {
            compiler::compile(plugin, jobs, means)
        })
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

    /// Returns the place of a piece's machine code.
    fn file(&self, piece: &Piece, tier: Tier) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(piece.file(tier)))
    }

    fn exists(&self, piece: &Piece, tier: Tier) -> bool {
        self.file(piece, tier).is_some_and(|path| path.exists())
    }

    fn path(&self, plugin: &Plugin, suffix: &str) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(pieces::name(plugin.digest(), suffix)))
    }
}

/// Returns the machine code of all pieces.
fn assembled(pieces: &Pieces, mapped: Vec<(Form, Tier)>) -> Result<Code, Error> {
    let lowest = mapped.iter().map(|(_, tier)| *tier).min().filter(|_| mapped.len() == pieces.iter().count());
    let forms = pieces.iter().zip(mapped).map(|(piece, (form, _))| (form, piece.start));
    let code = lowest.and_then(|lowest| Code::of(forms, lowest));
    code.ok_or_else(|| Error::system("a piece of the plugin was not compiled"))
}

/// Removes machine code that no installed plugin needs, the least recently used first, until at most `budget`
/// bytes of it are left. Keeps the file `newest`. Returns how many bytes were freed.
///
/// # Errors
/// If a folder cannot be read, or a file cannot be removed.
pub(super) fn trim(places: &Places, budget: u64, newest: Option<&Path>) -> io::Result<u64> {
    let needed = needed(places)?;
    disk::trim(&places.compiled(), &["attempts", "cwasm", "pieces", "verdict"], budget, |path| {
        Some(path) == newest || needed.contains(path)
    })
}

/// Returns the files that installed plugins run from.
fn needed(places: &Places) -> io::Result<BTreeSet<PathBuf>> {
    let store = Store::new(places.clone());
    let digests = store.running().map_err(io::Error::other)?;
    let tiers = [Tier::Optimized, Tier::Baseline];
    let mut files = BTreeSet::new();
    let folder = places.compiled();
    for digest in digests {
        // Of whichever form it is: only the names matter here.
        for piece in Pieces::recorded(digest, Kind::Component, Some(&folder)).iter() {
            files.extend(tiers.map(|tier| folder.join(piece.file(tier))));
        }
        files.insert(folder.join(pieces::record(digest)));
    }
    Ok(files)
}
