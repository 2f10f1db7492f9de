//! The programs of `tests/go`, built by `kwasm build` and, to compare, by Go alone.

use std::{
    collections::BTreeMap,
    env::consts::EXE_SUFFIX,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{fresh, places::Places, process, report::Report};

/// The folders of the programs.
const PROGRAMS: [&str; 3] = ["memory", "podtool", "surroundings"];

/// The files, besides the programs' own, on which a component depends.
const BUILDER: [&str; 6] = [
    // The adapter's release is in it.
    "Cargo.lock",
    "src/build",
    "src/inspect/adapt.rs",
    "src/inspect/embed.rs",
    "wit/deps",
    "xtask/src/go_guests.rs",
];

/// Builds the programs that are not fresh, by this kwasm, into the folder `go` of `compiled`: `NAME.wasm`, and
/// `NAME` for this machine; `memory-core.wasm`, as Go alone compiles it for WASI. Returns the reason why they
/// are missing.
///
/// # Errors
/// In continuous integration, where none may be missing.
pub(crate) fn gather(
    places: &Places,
    kwasm: &Path,
    compiled: &Path,
    report: &mut Report,
) -> Result<Option<String>> {
    let folder = compiled.join("go");
    let step = "guests in Go, by kwasm build";
    let make = || {
        let made = fresh::unless(&folder, &key(places)?, || build(places, kwasm, &folder));
        // Programs that are out of date must not be found.
        made.inspect_err(|_| drop(fs::remove_dir_all(&folder)))
    };
    if places.ci {
        report.step(step, make).map(|()| None)
    } else {
        Ok(report.attempt(step, make).map(|why| format!("{step}: {why:#}")))
    }
}

fn build(places: &Places, kwasm: &Path, folder: &Path) -> Result<()> {
    let sources = places.root.join("tests/go");
    for name in PROGRAMS {
        let mut build = Command::new(kwasm);
        build.current_dir(&sources).args(["build", &format!("./{name}"), "-o"]);
        process::run_for_reason(build.arg(folder.join(format!("{name}.wasm"))))?;
        process::run_for_reason(
            go(&sources).arg("-o").arg(folder.join(format!("{name}{EXE_SUFFIX}"))).arg(format!("./{name}")),
        )?;
    }
    process::run_for_reason(
        go(&sources)
            .envs([("GOOS", "wasip1"), ("GOARCH", "wasm")])
            .arg("-o")
            .arg(folder.join("memory-core.wasm"))
            .arg("./memory"),
    )
}

fn go(sources: &Path) -> Command {
    let mut go = Command::new("go");
    go.current_dir(sources).args(["build", "-trimpath"]).env("CGO_ENABLED", "0");
    go
}

/// Returns everything that the programs depend on: Go's version and the texts of all files.
fn key(places: &Places) -> Result<String> {
    let mut key = process::output(Command::new("go").args(["env", "GOVERSION", "GOFLAGS"]))?;
    let mut texts = BTreeMap::new();
    for path in BUILDER.into_iter().chain(["tests/go"]) {
        collect(&places.root.join(path), &mut texts)?;
    }
    for (path, text) in texts {
        key.push_str(&path.to_string_lossy());
        key.push_str(&text);
    }
    Ok(key)
}

fn collect(path: &Path, texts: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    let unreadable = || format!("cannot read {}", path.display());
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(unreadable)? {
            collect(&entry?.path(), texts)?;
        }
    } else {
        texts.insert(path.to_owned(), fs::read_to_string(path).with_context(unreadable)?);
    }
    Ok(())
}
