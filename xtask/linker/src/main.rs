//! Links a program twice: as it comes, and again with its functions in the order in which its usual runs first use them.
//!
//! A run of kwasm uses 3 % of its code, and what it uses lies scattered over all of it: each function brings the 64 KiB
//! around it into memory. Side by side, that is a tenth of the memory and an eighth less time for a run without a cluster.
//!
//! It stands in for the linker that rustc calls (`CARGO_TARGET_…_LINKER`), takes the same arguments and passes them on to
//! `cc`. Which program is to be ordered, and by which runs, it reads from the file that [`RUNS`] names. `cargo xtask release`
//! uses it.
#![cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64")),
    expect(dead_code, reason = "elsewhere it only passes its arguments on")
)]
#![expect(clippy::print_stderr, reason = "rustc shows what its linker prints")]
#![expect(
    clippy::disallowed_methods,
    reason = "the bans are for the host, which is confined; this is a tool of the house"
)]

mod order;
mod runs;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod trace;

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};

use runs::Runs;

/// The variable of the environment that names the file of [`Runs`]. Without it, all is linked as it comes.
const RUNS: &str = "KWASM_LINKER_RUNS";

/// The variable that names the file of an order: of the one to use, or if there is none, for the one that is found out.
const ORDER: &str = "KWASM_LINKER_ORDER";

/// The linker proper, which rustc would have called.
const LINKER: &str = "cc";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match link(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kwasm-linker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn link(arguments: &[OsString]) -> Result<()> {
    let runs = env::var_os(RUNS).map(|path| Runs::read(Path::new(&path))).transpose()?;
    match (runs, output(arguments)) {
        (Some(runs), Some(output)) if runs.concern(&output) => by_use(arguments, &output, &runs),
        _ => pass_on(arguments, &[]),
    }
}

/// Links a program in the order that is known of it, or that its runs show. Two watched runs are never quite the same, since threads
/// are not: who wants the same program again takes the same order.
fn by_use(arguments: &[OsString], output: &Path, runs: &Runs) -> Result<()> {
    let arguments = &without_libgcc(arguments);
    let known = env::var_os(ORDER).map(PathBuf::from);
    if let Some(known) = known.as_ref().filter(|known| known.exists()) {
        return in_order(arguments, known);
    }
    let names = watched(arguments, output, runs)?;
    let file = tempfile::NamedTempFile::new()?;
    let order = known.as_deref().unwrap_or(file.path());
    std::fs::write(order, names.join("\n") + "\n")?;
    eprintln!("kwasm-linker: {} functions of {} side by side", names.len(), output.display());
    in_order(arguments, order)
}

/// Links a program with these functions side by side.
fn in_order(arguments: &[OsString], order: &Path) -> Result<()> {
    let mut option = OsString::from("-Wl,--symbol-ordering-file=");
    option.push(order);
    pass_on(arguments, &[option, "-Wl,--no-warn-symbol-ordering".into()])
}

/// Links a program as it comes, and returns the functions that its runs use.
fn watched(arguments: &[OsString], output: &Path, runs: &Runs) -> Result<Vec<String>> {
    // Names are what the order is told by.
    let with_names: Vec<_> = arguments
        .iter()
        .filter(|argument| *argument != "-Wl,--strip-all" && *argument != "-s")
        .cloned()
        .collect();
    pass_on(&with_names, &[])?;
    order::of(output, runs)
}

/// Returns the same arguments with the compiler's own library inside of the program. To find, map and bind it as a file of its
/// own takes 0.1 ms at each start, and it is there for the backtrace of a panic.
fn without_libgcc(arguments: &[OsString]) -> Vec<OsString> {
    let inside = |argument: &OsString| match argument.to_str() {
        Some("-lgcc_s") => vec!["-lgcc_eh".into(), "-lgcc".into()],
        _ => vec![argument.clone()],
    };
    arguments.iter().flat_map(inside).collect()
}

/// Runs the linker proper.
fn pass_on(arguments: &[OsString], more: &[OsString]) -> Result<()> {
    let status = Command::new(LINKER)
        .args(arguments)
        .args(more)
        .status()
        .with_context(|| format!("cannot start `{LINKER}`"))?;
    if !status.success() {
        bail!("`{LINKER}` failed: {status}");
    }
    Ok(())
}

/// Returns the file that a call of the linker makes. Too many arguments come in a file, whose program is then linked as it
/// comes.
fn output(arguments: &[OsString]) -> Option<PathBuf> {
    let option = arguments.iter().position(|argument| argument == OsStr::new("-o"))?;
    arguments.get(option + 1).map(PathBuf::from)
}
