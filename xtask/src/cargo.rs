//! Runs Cargo and reads which programs it built.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{places, places::Places, process};

/// The programs that a build made, from the name of the cargo target to the file.
pub(crate) type Programs = BTreeMap<String, PathBuf>;

/// Returns a command of the toolchain's own cargo, to run in a folder.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(places::cargo());
    command.current_dir(folder);
    command
}

/// Returns the folder of the linkers that come with rustc, by the names that gcc looks for.
pub(crate) fn linkers() -> Result<PathBuf> {
    let print = |what: &str| process::output(Command::new("rustc").args(["--print", what]));
    let (root, host) = (print("sysroot")?, print("host-tuple")?);
    Ok(Path::new(root.trim()).join("lib/rustlib").join(host.trim()).join("bin/gcc-ld"))
}

/// Builds programs of the workspace in the profile `dev`.
pub(crate) fn build_dev(places: &Places, packages: &[&str]) -> Result<Programs> {
    let mut command = command(&places.root);
    command.arg("build").args(packages.iter().flat_map(|package| ["--package", package])).arg("--bins");
    build(&mut command)
}

/// Builds the programs of one package with the features of its release, in the profile `release`.
pub(crate) fn build_release(places: &Places, package: &str) -> Result<Programs> {
    let mut command = command(&places.root);
    command.args(["build", "--release", "--locked", "--package", package, "--bins"]);
    build(&mut command)
}

/// Runs a `cargo rustc` with a linker that finds what it has to know in these variables, and returns what it made.
pub(crate) fn build_linked(
    command: &mut Command,
    linker: &Path,
    variables: &[(&str, &Path)],
) -> Result<Programs> {
    let mut option = OsString::from("linker=");
    option.push(linker);
    let mut content = DefaultHasher::new();
    fs::read(linker).with_context(|| format!("cannot read {}", linker.display()))?.hash(&mut content);
    // Cargo takes a program for fresh whatever becomes of its linker, but not if its arguments differ.
    let which = format!("linker=\"{:x}\"", content.finish());
    // For this program only: not for what runs during the build.
    command.args([MESSAGES, "--", "--cfg", &which, "-C"]).arg(option).envs(variables.iter().copied());
    built(command)
}

/// What makes cargo say which programs it made.
const MESSAGES: &str = "--message-format=json-render-diagnostics";

/// Runs a `cargo build`, and reads from its messages which programs it made or found fresh.
pub(crate) fn build(command: &mut Command) -> Result<Programs> {
    built(command.arg(MESSAGES))
}

fn built(command: &mut Command) -> Result<Programs> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", process::shown(command), output.status);
    }
    let mut programs = Programs::new();
    for line in output.stdout.split(|byte| *byte == b'\n') {
        // Build scripts and wrappers may write lines of their own.
        let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
        if let (Some(name), Some(file)) = (message["target"]["name"].as_str(), made(&message)) {
            programs.insert(name.to_owned(), file.into());
        }
    }
    Ok(programs)
}

/// Returns the file of a program, or of a library that is a component.
fn made(message: &Value) -> Option<&str> {
    let is_component = |file: &&str| Path::new(file).extension().is_some_and(|extension| extension == "wasm");
    let files = || message["filenames"].as_array()?.iter().find_map(Value::as_str);
    message["executable"].as_str().or_else(|| files().filter(is_component))
}

/// Returns a program that a build made.
pub(crate) fn program<'a>(programs: &'a Programs, name: &str) -> Result<&'a Path> {
    programs.get(name).map(PathBuf::as_path).with_context(|| format!("cargo built no program `{name}`"))
}

/// Returns cargo's target directory for the workspace of a folder.
pub(crate) fn target_directory(folder: &Path) -> Result<PathBuf> {
    let metadata = metadata(folder)?;
    let path = metadata["target_directory"].as_str().context("`cargo metadata` names no target directory")?;
    Ok(path.into())
}

/// Returns the output of `cargo metadata` for the workspace of a folder, without its dependencies.
pub(crate) fn metadata(folder: &Path) -> Result<Value> {
    let mut command = command(folder);
    command.args(["metadata", "--no-deps", "--format-version=1"]);
    serde_json::from_str(&process::output(&mut command)?).context("cannot read `cargo metadata`")
}
