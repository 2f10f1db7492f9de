//! `kwasm __optimize`, which no user types: compiles a plugin with all optimizations, while it already runs from baseline code.

use std::path::{Path, absolute};
use std::thread;

use super::{Ending, Error};
use crate::cli::OPTIMIZE;
use crate::environment::Environment;
use crate::platform::background;
use crate::reference::Digest;
use crate::runtime::{Compiler, Unwatched};
use crate::store::{Plugin, Store};

/// Starts a process that optimizes a plugin, if that is left to do.
pub(super) fn begin(environment: &Environment, compiler: &Compiler<'_>, plugin: &Plugin) {
    if !compiler.is_to_optimize(plugin) {
        return;
    }
    let Ok(path) = absolute(plugin.path()) else { return };
    let digest = plugin.digest().to_string();
    let arguments = [OPTIMIZE.as_ref(), digest.as_ref(), path.as_os_str()];
    // Where it cannot be started, the plugin runs from what it has, and the next run tries again.
    if let Ok(mut child) = background::start(&environment.program, arguments) {
        // On Unix, a process that has ended is kept until its parent has asked for its status, and a run may take days.
        thread::spawn(move || child.wait());
    }
}

/// Compiles the content of a file, if it still has this digest.
///
/// # Errors
/// If it cannot be read or compiled, or the code cannot be kept.
pub(super) fn optimize(
    store: &Store,
    environment: &Environment,
    file: &Path,
    digest: Digest,
) -> Result<Ending, Error> {
    background::make_way();
    let plugin = store.open_file(file)?;
    if plugin.digest() == digest {
        Compiler::new(store.places(), environment, &Unwatched)?.optimize(&plugin)?;
    }
    Ok(Ending::Done)
}
