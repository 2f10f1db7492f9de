//! `cargo xtask components`: compiles the guests.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};

use crate::{
    cargo,
    cargo::Programs,
    places::Places,
    tools,
    wasm::{self, Need, Toolchain},
};

/// The component made by `cargo component`: a wasip1 module with its adapter.
const ADAPTED: &str = "hello-cargo-component";
/// The guests that need only preview 1. They are built as core modules too, named `NAME-core`.
const CORE: [&str; 14] = [
    "asks-for-random",
    "echoes",
    "exits",
    "fills-memory",
    "hello",
    "loops-forever",
    "outlasts-its-time",
    "prints",
    "reads-environment",
    "reads-home",
    "reads-proc-self",
    "recurses",
    "sleeps-forever",
    "traps",
];

/// The guests to compile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scope {
    /// Only these, which open no socket.
    Some(&'static [&'static str]),
    /// The guests of the workspace: all that a benchmark needs.
    Workspace,
    /// All guests, including those of other tools, which are built first.
    All,
}

pub(crate) fn run(places: &Places, install: bool) -> Result<ExitCode> {
    let toolchain = Toolchain::find(places, Scope::All.need(), install)?;
    for path in compile(places, toolchain, Scope::All)? {
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Compiles the guests that are not fresh and puts them into [`Places::components`].
pub(crate) fn build(places: &Places, scope: Scope) -> Result<()> {
    compile(places, Toolchain::find(places, scope.need(), false)?, scope).map(drop)
}

impl Scope {
    /// Returns what compiling them requires.
    pub(crate) fn need(self) -> Need {
        if matches!(self, Self::Some(_)) { Need::Components } else { Need::Everything }
    }

    fn packages(self) -> Vec<&'static str> {
        match self {
            Self::Some(names) => names.iter().flat_map(|name| ["--package", name]).collect(),
            Self::Workspace | Self::All => Vec::new(),
        }
    }
}

fn compile(places: &Places, toolchain: Toolchain, scope: Scope) -> Result<Vec<PathBuf>> {
    let mut guests = guests(places, toolchain, wasm::COMPONENT, &scope.packages())?;
    if scope == Scope::All {
        guests.extend(core(places, toolchain)?);
        guests.insert(ADAPTED.to_owned(), adapted(places, toolchain)?);
    }
    collect(places, &guests, scope)
}

fn core(places: &Places, toolchain: Toolchain) -> Result<Programs> {
    let packages: Vec<&str> = CORE.iter().flat_map(|name| ["--package", name]).collect();
    let built = guests(places, toolchain, wasm::CORE_MODULE, &packages)?;
    CORE.iter()
        .zip(core_names())
        .map(|(name, core)| Ok((core, cargo::program(&built, name)?.to_owned())))
        .collect()
}

/// Returns the names of the guests that are core modules.
pub(crate) fn core_names() -> impl Iterator<Item = String> {
    CORE.iter().map(|name| format!("{name}-core"))
}

fn guests(places: &Places, toolchain: Toolchain, target: &str, options: &[&str]) -> Result<Programs> {
    let mut command = toolchain.cargo();
    command
        .current_dir(places.guests())
        .args(["build", "--release", "--locked", "--bins", "--target", target])
        .args(options)
        .env("CARGO_TARGET_DIR", target_directory(places));
    cargo::build(&mut command)
}

fn adapted(places: &Places, toolchain: Toolchain) -> Result<PathBuf> {
    let tool = tools::CARGO_COMPONENT.find_or_build(places)?;
    let mut command = toolchain.command(tool);
    command
        .current_dir(places.guests().join("cargo-component-hello"))
        .args(["component", "build", "--release", "--locked", "--quiet", "--target", wasm::CORE_MODULE])
        .env("CARGO_TARGET_DIR", target_directory(places).join("cargo-component"));
    Ok(cargo::program(&cargo::build(&mut command)?, "cargo-component-hello")?.to_owned())
}

/// Returns a target directory of their own. In the workspace's, each compiler would make the other rebuild.
fn target_directory(places: &Places) -> PathBuf {
    places.target.join("guests")
}

fn collect(places: &Places, guests: &Programs, scope: Scope) -> Result<Vec<PathBuf>> {
    let folder = places.components();
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut paths = BTreeSet::new();
    for (name, built) in guests {
        let path = folder.join(format!("{name}.wasm"));
        copy(built, &path).with_context(|| format!("cannot copy {}", built.display()))?;
        paths.insert(path);
    }
    if scope == Scope::All {
        remove_others(&folder, &paths)?;
    }
    Ok(paths.into_iter().collect())
}

/// Removes guests that no longer exist, so that they are no longer tested.
fn remove_others(folder: &Path, paths: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if !paths.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Copies a file if it differs, in one step: a concurrent test sees the old or the new file.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let whole = to.with_extension("part");
    fs::write(&whole, bytes)?;
    Ok(fs::rename(whole, to)?)
}
