//! A plugin's machine code, as the engine runs it.
//!
//! The only unsafe code of kwasm is here.

use std::fs;
use std::path::Path;

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use super::tier::Tier;
use crate::defence::Defence;
use crate::inspect::Kind;
use crate::platform;

/// A plugin's machine code.
pub(super) struct Code {
    /// That of the plugin, without its libraries.
    pub(super) form: Form,
    /// That of its libraries, in the order of its imports.
    pub(super) libraries: Vec<Library>,
    /// The lowest tier of all.
    pub(super) tier: Tier,
}

/// The machine code of one file.
pub(super) enum Form {
    /// A component's code.
    Component(Component),
    /// A core module's code.
    Core(Module),
}

/// How code came into memory.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Mapped,
    Copied,
}

/// The machine code of a library.
pub(super) struct Library {
    pub(super) module: Module,
    /// The offset in the plugin at which the library begins.
    pub(super) start: usize,
}

impl Code {
    /// Returns the machine code of a plugin, of which the first file is its own and the others its libraries', each with its
    /// offset in the plugin. Returns `None` without any, or if a library is no core module.
    pub(super) fn of(forms: impl IntoIterator<Item = (Form, usize)>, tier: Tier) -> Option<Self> {
        let mut forms = forms.into_iter();
        let (form, _) = forms.next()?;
        let libraries = forms.map(|(form, start)| match form {
            Form::Core(module) => Some(Library { module, start }),
            Form::Component(_) => None,
        });
        Some(Self { form, libraries: libraries.collect::<Option<_>>()?, tier })
    }

    /// Returns the engine that runs it.
    pub(super) fn engine(&self) -> &Engine {
        match &self.form {
            Form::Component(component) => component.engine(),
            Form::Core(module) => module.engine(),
        }
    }
}

impl Form {
    /// Maps a file of compiled code. Returns `None` if it does not exist, could have been written by others,
    /// or was made by another engine or for another processor or settings; it is then compiled again and
    /// replaced.
    pub(super) fn map(engine: &Engine, kind: Kind, path: &Path) -> Option<Self> {
        if Defence::CacheOwner.stands() {
            platform::check_private_file(&fs::symlink_metadata(path).ok()?).ok()?;
        }
        Self::load(engine, kind, path).map(|(form, _)| form).ok()
    }

    /// Maps a file of code that kwasm itself has written, or copies it into memory.
    pub(super) fn load(engine: &Engine, kind: Kind, path: &Path) -> wasmtime::Result<(Self, Way)> {
        if let Ok(form) = map(engine, kind, path) {
            return Ok((form, Way::Mapped));
        }
        // A file system that is mounted `noexec` gives no mapping that can be executed; copied into memory the same code runs.
        Ok((adopt(engine, kind, &fs::read(path)?)?, Way::Copied))
    }

    /// Loads code that this process has just compiled.
    pub(super) fn adopt(engine: &Engine, kind: Kind, code: &[u8]) -> wasmtime::Result<Self> {
        adopt(engine, kind, code)
    }
}

#[expect(unsafe_code, reason = "wasmtime cannot know where a file of code comes from; kwasm does")]
fn map(engine: &Engine, kind: Kind, path: &Path) -> wasmtime::Result<Form> {
    // SAFETY: The file holds what `Engine::precompile_component` or `precompile_module` made: `Cache::keep` and `probe`
    // are its only writers, and it is a regular file that no one but this user can write, in a folder that no one but this user can enter (both
    // checked before, with no links followed). Whoever can change it can as well change kwasm itself. It stays as it is
    // while it is mapped, since `keep` replaces by rename. Cut short it is refused: an ELF file's section table is its end.
    unsafe {
        match kind {
            Kind::Component => Component::deserialize_file(engine, path).map(Form::Component),
            Kind::Core => Module::deserialize_file(engine, path).map(Form::Core),
        }
    }
}

#[expect(unsafe_code, reason = "wasmtime cannot know where bytes of machine code come from; kwasm does")]
fn adopt(engine: &Engine, kind: Kind, code: &[u8]) -> wasmtime::Result<Form> {
    // SAFETY: `code` was returned by `Engine::precompile_component` or `precompile_module`: of this process, or of an earlier
    // one that kept it in the file whose owner and permissions `Form::map` has checked, as it does before mapping it.
    unsafe {
        match kind {
            Kind::Component => Component::deserialize(engine, code).map(Form::Component),
            Kind::Core => Module::deserialize(engine, code).map(Form::Core),
        }
    }
}
