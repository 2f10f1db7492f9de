//! Whether this system lets a process run code that it has made, as each plugin needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use wasmtime::{Engine, Instance, Store};

use super::code::{Form, Way};
use super::engine::{self, Runner};
use super::error::Error;
use super::tier::Tier;
use crate::inspect::Kind;
use crate::platform::{self, disk};

/// A core module with an empty function, `f`.
const MODULE: &[u8] =
    b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a\x04\x01\x02\0\x0b";

/// How machine code comes into memory on this system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Execution {
    /// From its file, a page when it is used.
    Mapped,
    /// As a whole, at each start: its folder's file system lets nothing be executed.
    Copied,
}

/// Compiles a function and runs it, from a file in the folder of compiled code. Without such a folder, or where nothing can be
/// written to it, it runs from memory, as plugins do.
///
/// # Errors
/// [`Error::Forbidden`] if the system lets no code be run that was made by a process; [`Error::System`].
pub fn probe(folder: &Path) -> Result<Execution, Error> {
    let compiled = engine::compiler(Tier::Baseline).and_then(|engine| engine.precompile_module(MODULE));
    let code = compiled.map_err(Error::system)?;
    let engine =
        Runner { stack: 1 << 20, calls: 1, pool: None }.engine(Tier::Baseline).map_err(Error::system)?;
    // Removed when nothing of it is mapped any more: Windows would not let it.
    let kept = Kept::of(folder, &code);
    let loaded = match &kept {
        Some(Kept(file)) => Form::load(&engine, Kind::Core, file),
        None => Form::adopt(&engine, Kind::Core, &code).map(|form| (form, Way::Mapped)),
    };
    let way = loaded
        .and_then(|(form, way)| call(&engine, &form).map(|()| way))
        .map_err(|error| Error::loaded(&error))?;
    Ok(match way {
        Way::Mapped => Execution::Mapped,
        Way::Copied => Execution::Copied,
    })
}

/// A file of compiled code, which goes with this.
struct Kept(PathBuf);

impl Kept {
    /// Writes code where that of plugins is kept, if only this user can write there.
    fn of(folder: &Path, code: &[u8]) -> Option<Self> {
        platform::check_folder(&fs::symlink_metadata(folder).ok()?).ok()?;
        // Like plugins' code, which is removed in time, if this process should be killed.
        let place = folder.join(format!("probe-{}.cwasm", process::id()));
        disk::replace_soon(&place, code).ok()?;
        let kept = Self(place);
        platform::check_private_file(&fs::symlink_metadata(&kept.0).ok()?).ok()?;
        Some(kept)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(disk::remove(&self.0));
    }
}

fn call(engine: &Engine, form: &Form) -> wasmtime::Result<()> {
    let Form::Core(module) = form else { wasmtime::bail!("a core module became a component") };
    let mut store = Store::new(engine, ());
    store.set_epoch_deadline(1);
    let instance = Instance::new(&mut store, module, &[])?;
    instance.get_typed_func::<(), ()>(&mut store, "f")?.call(&mut store, ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_runs_from_a_folder_and_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own");
        platform::private_folder(&own).unwrap();
        assert_eq!(probe(&own).unwrap(), Execution::Mapped);
        assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
        assert!(probe(&folder.path().join("none")).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_run_from_a_folder_into_which_others_write_or_to_which_a_link_leads() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        platform::private_folder(&at("own")).unwrap();
        assert!(Kept::of(&at("own"), b"code").is_some());
        symlink(at("own"), at("link")).unwrap();
        platform::private_folder(&at("open")).unwrap();
        fs::set_permissions(at("open"), fs::Permissions::from_mode(0o777)).unwrap();
        for refused in ["link", "open", "none"] {
            assert!(Kept::of(&at(refused), b"code").is_none(), "{refused}");
        }
    }
}
