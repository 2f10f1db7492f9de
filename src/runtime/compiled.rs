//! Machine code: made once, kept in a folder that only this user may write, mapped on later runs.
//!
//! The only unsafe code of kwasm is here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use super::{Error, engine};
use crate::defence::{Defence, stands};
use crate::inspect;
use crate::platform::{self, disk};
use crate::store::{Places, Plugin};

/// Where compiled code is kept.
pub(super) struct Cache {
    /// `None` where there can be no such folder, on a read-only disk say: each run compiles then.
    folder: Option<PathBuf>,
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

impl Cache {
    /// Opens the folder, making it if need be.
    ///
    /// # Errors
    /// [`Error::Cache`] when the folder is somebody else's or open to others: code from there could be anybody's.
    pub(super) fn open(places: &Places) -> Result<Self, Error> {
        let folder = places.compiled();
        match platform::private_folder(&folder) {
            // What the system says, not what was found out about a folder that is there.
            Err(error) if error.raw_os_error().is_some() => Ok(Self { folder: None }),
            Err(source) if stands(Defence::CacheOwner) => Err(Error::Cache { path: folder, source }),
            _ => Ok(Self { folder: Some(folder) }),
        }
    }

    /// The plugin's machine code: mapped if it was compiled before, else compiled now.
    ///
    /// # Errors
    /// When the plugin's content is not what it was, or cannot be compiled.
    pub(super) fn load(&self, engine: &Engine, plugin: &Plugin) -> Result<Component, Error> {
        let path = self.path(plugin);
        if let Some(component) = path.as_deref().and_then(|path| map(engine, path)) {
            return Ok(component);
        }
        let code = compile(plugin)?;
        // A cache that cannot be written costs a compilation at each run, and nothing else.
        let kept = path.filter(|path| keep(path, &code).is_ok());
        // To map what was kept is cheaper than to copy it, and what the next run will do.
        match kept.and_then(|path| map(engine, &path)) {
            Some(component) => Ok(component),
            None => adopt(engine, &code).map_err(|error| Error::compile(plugin, &error)),
        }
    }

    /// Compares what is kept of a plugin with what compiling it now gives.
    ///
    /// # Errors
    /// As [`Cache::load`].
    pub(super) fn compare(&self, plugin: &Plugin) -> Result<Kept, Error> {
        let Some(path) = self.path(plugin).filter(|path| path.exists()) else { return Ok(Kept::Nothing) };
        let code = compile(plugin)?;
        let same = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == code.len() as u64)
            && fs::read(&path).is_ok_and(|kept| kept == code);
        Ok(if same { Kept::Same } else { Kept::Other(path) })
    }

    fn path(&self, plugin: &Plugin) -> Option<PathBuf> {
        let name = format!("{}-{}.cwasm", plugin.digest().hex(), engine::key());
        self.folder.as_ref().map(|folder| folder.join(name))
    }
}

fn compile(plugin: &Plugin) -> Result<Vec<u8>, Error> {
    let content = plugin.content()?;
    let component = inspect::component(&content, plugin.inspected())
        .map_err(|source| Error::Adapt { plugin: plugin.name().to_owned(), source })?;
    let compiled = engine::compiler().and_then(|engine| engine.precompile_component(&component));
    compiled.map_err(|error| Error::compile(plugin, &error))
}

/// Writes code under a temporary name, synced, and renames it: a file that is mapped is never written to. A file
/// made by `disk` is its owner's alone (0600). Whatever a killed kwasm was writing here goes first.
fn keep(path: &Path, code: &[u8]) -> io::Result<()> {
    disk::remove_abandoned(path.parent().unwrap_or(Path::new(".")))?;
    disk::Staged::write(path, code)?.sync()?.rename()
}

/// Maps a file of compiled code. `None` when it is not there, is not this user's alone, or is not of this engine,
/// this processor and these settings: it is compiled anew then, and replaced.
fn map(engine: &Engine, path: &Path) -> Option<Component> {
    if stands(Defence::CacheOwner) {
        platform::check_private_file(&fs::symlink_metadata(path).ok()?).ok()?;
    }
    #[expect(unsafe_code, reason = "wasmtime cannot know where a file of code comes from; kwasm does")]
    // SAFETY: The file holds what `Engine::precompile_component` made: `keep` is its only writer, and it is a
    // regular file that nobody but this user can write, in a folder that nobody but this user can enter (both checked
    // above, with no links followed). Whoever can change it can as well change kwasm itself. It stays as it is while
    // it is mapped, since `keep` replaces by rename. Cut short it is refused: an ELF file's section table is its end.
    let component = unsafe { Component::deserialize_file(engine, path) };
    component.ok()
}

/// Takes code that was just compiled.
fn adopt(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    #[expect(unsafe_code, reason = "wasmtime cannot know where bytes of machine code come from; kwasm does")]
    // SAFETY: `code` was returned by `Engine::precompile_component` of this process and never left its memory.
    unsafe {
        Component::deserialize(engine, code)
    }
}
