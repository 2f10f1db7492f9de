//! The program for a target, in which nothing tells where it was built.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::target::Target;
use crate::{
    cargo, cross,
    places::{self, Places},
    release::Order,
};

/// Builds the program of a target, and returns its file. `order` is the file of the order of its functions, which is written if
/// it is not there.
///
/// # Errors
/// If a compiler or a linker for it is missing, or something does not compile.
pub(super) fn build(places: &Places, target: &Target, order: &Path) -> Result<PathBuf> {
    let triple = target.triple;
    let home = places::cargo_home().context("neither CARGO_HOME nor a home is set")?;
    let remap = |path: &Path, name: &str| format!("{}={name}", path.display());
    let (root, crates) = (remap(&places.root, "/kwasm"), remap(&home, "/cargo"));
    let mut flags = vec![format!("--remap-path-prefix={root}"), format!("--remap-path-prefix={crates}")];
    flags.extend(link(places, target)?);
    let mut command = cross::command(places, "rustc", triple)?;
    command
        .args(["--release", "--bin", "kwasm"])
        // Of the environment's own flags none may get in.
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env(
            cross::variable("CFLAGS", triple),
            format!("-ffile-prefix-map={crates} -ffile-prefix-map={root}"),
        );
    let linker = if target.runs_here() { Order::prepare(places)? } else { None };
    let programs = match linker {
        Some(linker) => linker.link(&mut command, Some(order))?,
        None => cargo::build(&mut command)?,
    };
    Ok(cargo::program(&programs, "kwasm")?.to_owned())
}

/// Returns the options by which a program is linked.
fn link(places: &Places, target: &Target) -> Result<Vec<String>> {
    if target.os != "linux" {
        return Ok(Vec::new());
    }
    let script = places.root.join("xtask").join("linker").join("without-tables.ld");
    let options = [
        // LLVM's linker, which comes with rustc and knows all processors.
        format!("-B{}", cargo::linkers()?.display()),
        "-fuse-ld=lld".to_owned(),
        // One function of those that are equal.
        "-Wl,--icf=all".to_owned(),
        // The start's work on addresses as a bitmap (build.rs), which musl 1.2.4 and newer read.
        "-Wl,-z,pack-relative-relocs".to_owned(),
        format!("-Wl,-T,{}", script.display()),
    ];
    let mut flags: Vec<String> = options.iter().map(|option| format!("-Clink-arg={option}")).collect();
    if target.architecture == "arm64" && std::env::consts::ARCH != "aarch64" {
        flags.push(format!("-Clinker={}", cross::ARM_GCC));
    }
    Ok(flags)
}
