//! `cargo xtask components`: compiles the guests, and writes the requests of the shipped plugins into them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    cargo,
    cargo::Programs,
    places::Places,
    request, tools,
    wasm::{self, Need, Toolchain},
};

/// A component made by `cargo component`: a wasip1 module with its adapter.
pub(crate) const ADAPTED: &str = "hello-cargo-component";
/// The guests that need no more than preview 1 has. They are built as core modules too, `NAME-core`.
const CORE: [&str; 20] = [
    "asks-for-random",
    "climbs-out-of-folder",
    "echoes",
    "exits",
    "fills-memory",
    "follows-a-link",
    "hello",
    "keeps-files",
    "links-to-write",
    "loops-forever",
    "outlasts-its-time",
    "prints",
    "reads-credential-variables",
    "reads-environment",
    "reads-home",
    "reads-proc-self",
    "recurses",
    "sleeps-forever",
    "traps",
    "writes-read-only",
];

/// The guests that are built with names and DWARF too, `NAME-debug`, of the tests' workspace.
const DEBUG: [&str; 1] = ["computes"];

/// The profile in which these are built.
const WITH_NAMES: [&str; 2] = ["--profile", "debug-info"];

/// The profile of all others.
const RELEASE: [&str; 1] = ["--release"];

/// Returns the first of the names that no workspace has.
fn unknown<'a>(places: &Places, names: &[&'a str]) -> Result<Option<&'a str>> {
    let mut known = Vec::new();
    for workspace in places.wasm_workspaces() {
        known.extend(list(&workspace)?.into_iter().map(|guest| guest.name));
    }
    Ok(names.iter().copied().find(|name| !known.iter().any(|known| known == name)))
}

/// The guests to compile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scope<'a> {
    /// Only these.
    Some(&'a [&'a str]),
    /// The guests of the two workspaces: all that a benchmark needs.
    Workspace,
    /// All guests, including those of other tools, which are built first.
    All,
}

/// Compiles the guests of these names, or all of them, and prints where they are.
pub(crate) fn run(places: &Places, install: bool, names: &[String]) -> Result<ExitCode> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scope = if names.is_empty() { Scope::All } else { Scope::Some(&names) };
    if let Some(unknown) = unknown(places, &names)? {
        bail!("no plugin or guest `{unknown}`; components/ and tests/guests/Cargo.toml have them");
    }
    let toolchain = Toolchain::find(places, scope.need(), install)?;
    for path in compile(places, toolchain, scope)? {
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Compiles what is not fresh and puts it into [`Places::components`].
pub(crate) fn build(places: &Places, scope: Scope<'_>) -> Result<()> {
    compile(places, Toolchain::find(places, scope.need(), false)?, scope).map(drop)
}

/// The guests that use hyper or tokio, whose sockets need `fcntl`.
const SOCKETS: [&str; 3] = ["kube-client", "kube-client-http", "kube-client-wasi3"];

impl<'a> Scope<'a> {
    /// Returns what compiling them needs.
    pub(crate) fn need(self) -> Need {
        match self {
            Self::Some(names) if !names.iter().any(|name| SOCKETS.contains(name)) => Need::Components,
            Self::Some(_) | Self::Workspace | Self::All => Need::Everything,
        }
    }

    fn names(self) -> Option<&'a [&'a str]> {
        match self {
            Self::Some(names) => Some(names),
            Self::Workspace | Self::All => None,
        }
    }
}

/// A program that is compiled to WebAssembly, as its workspace's manifests have it.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) name: String,
    pub(crate) package: String,
    /// What cargo calls it: the name of a program, or `None` for the package's library, as those for WASI 0.3 are.
    program: Option<String>,
    /// The guest's first source file.
    pub(crate) source: PathBuf,
    /// Whether cargo builds its unit tests.
    pub(crate) tested: bool,
}

/// Lists the programs of a workspace.
pub(crate) fn list(workspace: &Path) -> Result<Vec<Guest>> {
    let metadata = cargo::metadata(workspace)?;
    let mut guests = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let targets = package["targets"].as_array().into_iter().flatten();
        for target in targets.filter(|target| target["kind"][0] == "bin" || target["kind"][0] == "cdylib") {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let name = text(&target["name"]);
            guests.push(Guest {
                program: (target["kind"][0] == "bin").then(|| name.clone()),
                // A library's name has no hyphens, and a guest's has no underscores.
                name: name.replace('_', "-"),
                package: text(&package["name"]),
                source: text(&target["src_path"]).into(),
                tested: target["test"] == true,
            });
        }
    }
    Ok(guests)
}

fn compile(places: &Places, toolchain: Toolchain, scope: Scope<'_>) -> Result<Vec<PathBuf>> {
    let mut guests = guests(places, toolchain, wasm::COMPONENT, &RELEASE, scope.names())?;
    guests.extend(debug(places, toolchain, wasm::COMPONENT, "", scope)?);
    if scope == Scope::All {
        guests.extend(core(places, toolchain)?);
        guests.extend(debug(places, toolchain, wasm::CORE_MODULE, "-core", scope)?);
        guests.insert(ADAPTED.to_owned(), adapted(places, toolchain)?);
    }
    collect(places, &guests, scope)
}

/// Builds those of [`DEBUG`] that are asked for, as `NAMEFORM-debug`.
fn debug(
    places: &Places,
    toolchain: Toolchain,
    target: &str,
    form: &str,
    scope: Scope<'_>,
) -> Result<Programs> {
    let is_asked = |name: &&str| scope.names().map_or(scope == Scope::All, |names| names.contains(name));
    let names: Vec<&str> = DEBUG.into_iter().filter(is_asked).collect();
    if names.is_empty() {
        return Ok(Programs::new());
    }
    let built = guests(places, toolchain, target, &WITH_NAMES, Some(&names))?;
    let program = |name: &&str| Ok((format!("{name}{form}-debug"), cargo::program(&built, name)?.to_owned()));
    names.iter().map(program).collect()
}

fn core(places: &Places, toolchain: Toolchain) -> Result<Programs> {
    let built = guests(places, toolchain, wasm::CORE_MODULE, &RELEASE, Some(&CORE))?;
    CORE.iter()
        .zip(core_names())
        .map(|(name, core)| Ok((core, cargo::program(&built, name)?.to_owned())))
        .collect()
}

/// Returns the names of the guests that are core modules.
pub(crate) fn core_names() -> impl Iterator<Item = String> {
    CORE.iter().map(|name| format!("{name}-core"))
}

/// Builds those of the names, or all, of both workspaces.
fn guests(
    places: &Places,
    toolchain: Toolchain,
    target: &str,
    profile: &[&str],
    names: Option<&[&str]>,
) -> Result<Programs> {
    let mut programs = Programs::new();
    for workspace in places.wasm_workspaces() {
        let selection = match names {
            Some(names) => selection(list(&workspace)?, names),
            None => ["--workspace", "--bins", "--lib"].map(str::to_owned).to_vec(),
        };
        if selection.is_empty() {
            continue;
        }
        let mut command = toolchain.cargo();
        command
            .current_dir(workspace)
            .args(["build", "--locked", "--target", target])
            .args(profile)
            .args(selection)
            .env("CARGO_TARGET_DIR", target_directory(places));
        let built = cargo::build(&mut command)?;
        programs.extend(built.into_iter().map(|(name, file)| (name.replace('_', "-"), file)));
    }
    for name in names.unwrap_or_default() {
        cargo::program(&programs, name)?;
    }
    Ok(programs)
}

/// Returns cargo's options for the guests of these names, so that nothing else is compiled.
fn selection(guests: Vec<Guest>, names: &[&str]) -> Vec<String> {
    let (mut options, mut libraries) = (Vec::new(), false);
    for guest in guests.into_iter().filter(|guest| names.contains(&&*guest.name)) {
        options.extend(["--package".to_owned(), guest.package]);
        match guest.program {
            Some(program) => options.extend(["--bin".to_owned(), program]),
            None => libraries = true,
        }
    }
    // Of all of these packages; cargo takes it once.
    options.extend(libraries.then(|| "--lib".to_owned()));
    options
}

fn adapted(places: &Places, toolchain: Toolchain) -> Result<PathBuf> {
    let tool = tools::CARGO_COMPONENT.find_or_build(places)?;
    let mut command = toolchain.command(tool);
    command
        .current_dir(places.plugins().join("examples").join("cargo-component-hello"))
        .args(["component", "build", "--release", "--locked", "--quiet", "--target", wasm::CORE_MODULE])
        .env("CARGO_TARGET_DIR", target_directory(places).join("cargo-component"));
    Ok(cargo::program(&cargo::build(&mut command)?, "cargo-component-hello")?.to_owned())
}

/// Returns a target directory of their own. In the workspace's, each compiler would make the other rebuild.
fn target_directory(places: &Places) -> PathBuf {
    places.target.join("guests")
}

fn collect(places: &Places, guests: &Programs, scope: Scope<'_>) -> Result<Vec<PathBuf>> {
    let folder = places.components();
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut paths = BTreeSet::new();
    for (name, built) in guests {
        let path = folder.join(format!("{name}.wasm"));
        let mut component = fs::read(built).with_context(|| format!("cannot read {}", built.display()))?;
        if let Some(request) = request::of(places, name)? {
            component = request::embed(component, &request)?;
        }
        put(&component, &path).with_context(|| format!("cannot write {}", path.display()))?;
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

/// Writes a file if it differs, in one step: a concurrent test sees the old or the new file.
fn put(bytes: &[u8], to: &Path) -> Result<()> {
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let whole = to.with_extension("part");
    fs::write(&whole, bytes)?;
    Ok(fs::rename(whole, to)?)
}
