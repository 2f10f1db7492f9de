//! Builds a Go program as a WASI 0.2 component, by the stock toolchain and a few changes of its standard
//! library: connections by wasi:sockets, a network poller that waits by wasi:io, whole exit codes.

mod fault;
mod toolchain;

pub use self::fault::Fault;

use super::job::{Built, Job};
use super::{Error, Language};

/// Builds the program of a project.
pub(super) fn build(job: &Job<'_>) -> Result<Built, Error> {
    Err(Error::Unsupported { root: job.folder.clone(), language: Language::Go })
}

/// Builds a program that is published as a part of a Go module: `MODULE/PATH@VERSION`.
pub(super) fn build_published(job: &Job<'_>, module: &str) -> Result<Built, Error> {
    drop(module.to_owned());
    build(job)
}
