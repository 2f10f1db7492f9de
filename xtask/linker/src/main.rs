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

/// Links a program, watches its runs, and links it again in the order of what they used.
fn by_use(arguments: &[OsString], output: &Path, runs: &Runs) -> Result<()> {
    let arguments = &without_libgcc(arguments);
    // Names are what the order is told by.
    let with_names: Vec<_> = arguments
        .iter()
        .filter(|argument| *argument != "-Wl,--strip-all" && *argument != "-s")
        .cloned()
        .collect();
    pass_on(&with_names, &[])?;
    let names = order::of(output, runs)?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, names.join("\n") + "\n")?;
    eprintln!("kwasm-linker: {} functions of {} side by side", names.len(), output.display());
    let mut option = OsString::from("-Wl,--symbol-ordering-file=");
    option.push(file.path());
    pass_on(arguments, &[option, "-Wl,--no-warn-symbol-ordering".into()])
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
