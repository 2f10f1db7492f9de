//! Whether this system lets a process run code that it has made, as each plugin needs.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use wasmtime::{Engine, Instance, Store};

use super::code::{Form, Way};
use super::engine::{self, Runner};
use super::tier::Tier;
use crate::inspect::Kind;

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

/// Compiles a function and runs it from a file in `folder`, or from memory if there is no such folder.
///
/// # Errors
/// What the system says, if it lets no code be run that was made by a process.
pub fn probe(folder: &Path) -> wasmtime::Result<Execution> {
    let code = engine::compiler(Tier::Baseline)?.precompile_module(MODULE)?;
    let engine = Runner { stack: 1 << 20, calls: 1, pool: None }.engine(Tier::Baseline)?;
    let (form, way) = if fs::metadata(folder).is_ok_and(|metadata| metadata.is_dir()) {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&code)?;
        Form::load(&engine, Kind::Core, file.path())?
    } else {
        (Form::adopt(&engine, Kind::Core, &code)?, Way::Mapped)
    };
    call(&engine, &form)?;
    Ok(match way {
        Way::Mapped => Execution::Mapped,
        Way::Copied => Execution::Copied,
    })
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
        assert_eq!(probe(folder.path()).unwrap(), Execution::Mapped);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(probe(&folder.path().join("none")).is_ok());
    }
}
