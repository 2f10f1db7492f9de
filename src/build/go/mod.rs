//! Builds a Go program as a WASI 0.2 component, by the stock toolchain and a few changes of its standard
//! library: connections by wasi:sockets, a network poller that waits by wasi:io, whole exit codes.
//!
//! Nothing of the project, the toolchain or the module cache is changed. `go build -overlay` reads changed
//! files in place of the standard library's, and a copy of `go.mod` replaces the few modules that do not
//! compile for WASI.

mod data;
mod encode;
mod fault;
mod flags;
mod modules;
mod order;
mod overlay;
mod packages;
mod published;
mod release;
mod toolchain;
mod versions;

use std::fs;
use std::path::Path;

pub use self::fault::Fault;

use self::flags::Flags;
use self::overlay::Overlay;
use self::packages::Settled;
use self::published::Published;
use self::toolchain::Go;
use self::versions::Versions;
use super::Error;
use super::job::{Built, Job};
use crate::platform::disk::Scratch;

/// Builds the program of a project.
pub(super) fn build(job: &Job<'_>) -> Result<Built, Error> {
    build_with(job, &scratch()?, false)
}

/// Builds a program that is part of a published module: `MODULE/PATH@VERSION`.
pub(super) fn build_published(job: &Job<'_>, module: &str) -> Result<Built, Error> {
    let published = Published::parse(module)?;
    let scratch = scratch()?;
    // Before it is fetched: flags that cannot be used.
    Flags::read(job.arguments, "")?;
    let folder = published.fetch(job.tools, &scratch)?;
    let job = Job { tools: job.tools, folder, package: None, arguments: job.arguments };
    build_with(&job, &scratch, true).map_err(|error| match error {
        // What the user names next has a version too.
        Error::Go(Fault::Library { package, name, programs }) => {
            let version = published.version;
            let programs = programs.iter().map(|program| format!("{program}@{version}")).collect();
            Fault::Library { package, name, programs }.into()
        }
        error => error,
    })
}

fn build_with(job: &Job<'_>, scratch: &Scratch, is_published: bool) -> Result<Built, Error> {
    let go = Go::find(job.tools, &job.folder, is_published)?;
    let flags = Flags::read(job.arguments, &go.settings.goflags)?;
    let mut overlay = Overlay::of_standard_library(&go, scratch)?;
    let versions = Versions::copy(&go, scratch)?;
    let settled = Settled { go: &go, flags: &flags, versions: &versions, completes: is_published };
    let pattern = job.package.unwrap_or(".");
    let packages = modules::settle(&settled, &mut overlay, scratch, pattern)?;
    let program = settled.program(&overlay, pattern, packages)?;
    let output = scratch.join("program.wasm");
    settled.compile(&overlay, pattern, &output)?;
    let mut core = read(&output)?;
    // Else it is for a debugger, and stays as Go's linker made it.
    if !flags.keeps_names() {
        core = order::by_start(&core).map_err(Error::Component)?;
    }
    let component = encode::component(&core).map_err(Error::Component)?;
    job.tools.check()?;
    Ok(Built { name: program.program_name(), component })
}

fn scratch() -> Result<Scratch, Error> {
    Scratch::new().map_err(|source| Error::Temporary { path: std::env::temp_dir(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Fault::Unreadable { path: path.to_owned(), source }.into())
}
