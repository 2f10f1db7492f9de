//! The program for a target, in which nothing tells where it was built.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::target::Target;
use crate::{
    cargo, cross,
    places::{self, Places},
    release::Order,
};

/// Builds the program of a target, and returns its file. `order` is the file of the order of its functions, if they are put into one,
/// which is written if it is not there.
///
/// # Errors
/// If a compiler or a linker for it is missing, or something does not compile.
pub(super) fn build(places: &Places, target: &Target, order: Option<&Path>) -> Result<PathBuf> {
    let triple = target.triple;
    let home = places::cargo_home().context("neither CARGO_HOME nor a home is set")?;
    let remap = |path: &Path, name: &str| format!("{}={name}", path.display());
    // Where what is built lies in the repository, the last of them counts, which says the same.
    let mapped =
        [remap(&home, "/cargo"), remap(&places.root, "/kwasm"), remap(&places.target, "/kwasm/target")];
    ensure!(
        !mapped.concat().contains(char::is_whitespace),
        "a release is built in folders without a space in their names"
    );
    let mut flags = mapped.each_ref().map(|mapped| format!("--remap-path-prefix={mapped}")).to_vec();
    flags.extend(link(places, target)?);
    let mut command = cross::command(places, "rustc", triple)?;
    command
        .args(["--release", "--bin", "kwasm"])
        // Of the environment's own flags none may get in.
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env(
            cross::variable("CFLAGS", triple),
            mapped.map(|mapped| format!("-ffile-prefix-map={mapped}")).join(" "),
        );
    let programs = match order {
        Some(order) => {
            let linker = Order::prepare(places)?.context("this system finds out no order")?;
            // Cargo does not know that another order makes another program.
            unlink(&places.target.join(triple).join("release").join("deps"))?;
            let programs = linker.link(&mut command, Some(order))?;
            ensure!(order.is_file(), "the linker has written no order of functions");
            programs
        }
        None => cargo::build(&mut command)?,
    };
    Ok(cargo::program(&programs, "kwasm")?.to_owned())
}

/// Removes the programs of an earlier build, so that they are linked again.
fn unlink(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("kwasm-") && !name.contains('.') {
            fs::remove_file(entry.path()).with_context(|| format!("cannot remove {name}"))?;
        }
    }
    Ok(())
}

/// Returns the options by which a program is linked.
fn link(places: &Places, target: &Target) -> Result<Vec<String>> {
    match target.os {
        "linux" => {}
        // Else it has the time in it at which it was linked.
        "windows" => return Ok(vec!["-Clink-arg=-Wl,--no-insert-timestamp".to_owned()]),
        _ => return Ok(Vec::new()),
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
