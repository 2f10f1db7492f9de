//! The build of the Go module beside this crate, once for each version of its sources.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::digest::hex;
use crate::error::Error;

/// The files that the program is built of.
const SOURCES: [&str; 3] = ["go.mod", "go.sum", "main.go"];
const LDFLAGS: &str = "-s -w";
/// The largest part of a failed build's output that an error shows, in bytes.
const OUTPUT_SHOWN: usize = 4096;

/// Returns the registry with the referrers API, built into `cache/registry/KEY` if it is not there.
pub(crate) fn build(cache: &Path) -> Result<PathBuf, Error> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR"));
    let builds = cache.join("registry");
    fs::create_dir_all(&builds).map_err(Error::at(&builds))?;
    let key = key(module)?;
    let program = builds.join(format!("{key}{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Ok(program);
    }
    let lock = builds.join(format!("{key}.lock"));
    let held = File::create(&lock).map_err(Error::at(&lock))?;
    held.lock().map_err(Error::at(&lock))?;
    // The previous holder of the lock has built it.
    if !program.is_file() {
        let unfinished = builds.join(format!("{key}.new"));
        compile(module, &unfinished)?;
        fs::rename(&unfinished, &program).map_err(Error::at(&program))?;
    }
    Ok(program)
}

/// Returns a name for the build's inputs.
fn key(module: &Path) -> Result<String, Error> {
    let mut hash = Sha256::new_with_prefix(LDFLAGS);
    for source in SOURCES {
        let path = module.join(source);
        let content = fs::read(&path).map_err(Error::at(&path))?;
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(content);
    }
    Ok(hex(&hash.finalize()[..8]))
}

fn compile(module: &Path, binary: &Path) -> Result<(), Error> {
    let run = Command::new("go")
        .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", LDFLAGS, "-o"])
        .args([binary, Path::new(".")])
        .current_dir(module)
        .stdin(Stdio::null())
        .output();
    let output = match run {
        Ok(output) => output,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(Error::NoGo),
        Err(e) => return Err(Error::at("go")(e)),
    };
    if output.status.success() {
        return Ok(());
    }
    let end = output.stderr.len().saturating_sub(OUTPUT_SHOWN);
    let shown = String::from_utf8_lossy(&output.stderr[end..]).trim().to_owned();
    Err(Error::Build { status: output.status, output: shown })
}
