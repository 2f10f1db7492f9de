//! The order in which runs first enter a program's functions.

use std::{path::Path, process::Stdio};

use anyhow::{Result, bail};

use crate::runs::Runs;

/// Returns the names of the functions that these runs use, in the order of their first use.
///
/// # Errors
/// If a run fails, or the system does not let one process watch another.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) fn of(program: &Path, runs: &Runs) -> Result<Vec<String>> {
    use std::collections::BTreeSet;

    use crate::trace::{self, Functions};

    prepare(program, runs)?;
    let functions = Functions::read(program)?;
    let mut seen = BTreeSet::new();
    let mut order = Vec::new();
    for run in &runs.watched {
        for address in trace::entered(&mut runs.command(run, program), program, &functions)? {
            if seen.insert(address) {
                order.push(address);
            }
        }
    }
    Ok(order.into_iter().flat_map(|address| functions.names(address)).cloned().collect())
}

/// Elsewhere no other order than the linker's is known.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(crate) fn of(_: &Path, _: &Runs) -> Result<Vec<String>> {
    bail!("programs are ordered on Linux on x86-64 only")
}

/// Makes the runs that nobody watches, and each of the others once, so that what is watched is as it is every day.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn prepare(program: &Path, runs: &Runs) -> Result<()> {
    for run in runs.before.iter().chain(&runs.watched) {
        let mut command = runs.command(run, program);
        let output = command.stdin(Stdio::null()).output()?;
        if !output.status.success() {
            bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
    }
    Ok(())
}
