//! Compiling kwasm for systems that this machine is not.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{cargo, places::Places, process, tools};

/// What is installed for other systems, each with all before it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Means {
    /// To check types.
    Check,
    /// To build programs.
    Build,
    /// To run them: Wine and QEMU.
    Run,
}

/// Installs what is missing.
///
/// # Errors
/// If it cannot be installed.
pub(crate) fn set_up(places: &Places, means: Means) -> Result<()> {
    let option = match means {
        Means::Check => "--check",
        Means::Build => "--build",
        Means::Run => "--run",
    };
    process::run(Command::new(places.root.join(".ci").join("platforms")).arg(option))
        .with_context(|| format!("on Debian, as root, `.ci/platforms {option}` installs what is missing"))
}

/// Returns a command of cargo for the package kwasm and a target, with compilers for it.
///
/// # Errors
/// If rustup has no standard library for it, or zig is not there.
pub(crate) fn command(places: &Places, subcommand: &str, target: &str) -> Result<Command> {
    process::run(Command::new("rustup").args(["--quiet", "target", "add", target]))
        .context("rustup has no standard library for it")?;
    let mut cargo = cargo::command(&places.root);
    cargo.args([subcommand, "--locked", "--package", "kwasm", "--target", target]);
    match target {
        "x86_64-pc-windows-gnu" => {
            cargo.env(variable("CC", target), "x86_64-w64-mingw32-gcc");
        }
        "aarch64-unknown-linux-gnu" => {
            let linker = variable("CARGO_TARGET", target).to_uppercase() + "_LINKER";
            cargo.env(variable("CC", target), ARM_GCC).env(linker, ARM_GCC);
        }
        _ if target.ends_with("-linux-musl") || !cfg!(target_os = "macos") => {
            // It keeps what it has compiled, of headers for example.
            let cache = places.target.join("zig");
            cargo
                .env(variable("CC", target), places.root.join(".ci").join("zig-cc"))
                .env("KWASM_ZIG", tools::ZIG.find_or_build(places)?)
                .envs([("ZIG_GLOBAL_CACHE_DIR", &cache), ("ZIG_LOCAL_CACHE_DIR", &cache)]);
        }
        _ => {}
    }
    // AWS-LC's assembly for Windows, assembled by its makers: it saves NASM.
    cargo.env("AWS_LC_SYS_PREBUILT_NASM", "1");
    Ok(cargo)
}

/// Debian's compiler for Linux on ARM, which links too.
pub(crate) const ARM_GCC: &str = "aarch64-linux-gnu-gcc";

/// Returns the name of a variable that is a target's, as the crate `cc` has them.
pub(crate) fn variable(name: &str, target: &str) -> String {
    format!("{name}_{}", target.replace('-', "_"))
}
