//! The build of the Go module beside this crate, once for each version of its sources.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::assets::Unavailable;
use crate::hex::hex;
use crate::program::Program;

/// The version flags. Without them kubectl calls itself v0.0.0, warns about its distance to the server, and
/// reports that version to the server.
const LDFLAGS: &str = "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 \
    -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36 \
    -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3";

/// The largest part of a failed build's output that an error shows, in bytes.
const OUTPUT_SHOWN: usize = 4096;

/// Builds the module into `cache/cluster/KEY` if it is not there, and returns that folder.
pub(crate) fn build(cache: &Path) -> Result<PathBuf, Unavailable> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR"));
    let builds = cache.join("cluster");
    fs::create_dir_all(&builds).map_err(at(&builds))?;
    let key = key(module)?;
    let folder = builds.join(&key);
    if folder.is_dir() {
        return Ok(folder);
    }
    let lock = builds.join(format!("{key}.lock"));
    let held = File::create(&lock).map_err(at(&lock))?;
    held.lock().map_err(at(&lock))?;
    // The previous holder of the lock has built it.
    if folder.is_dir() {
        return Ok(folder);
    }
    let unfinished =
        tempfile::Builder::new().prefix(&format!(".{key}.")).tempdir_in(&builds).map_err(at(&builds))?;
    compile(module, &unfinished.path().join(binary()))?;
    link(unfinished.path())?;
    fs::rename(unfinished.keep(), &folder).map_err(at(&folder))?;
    Ok(folder)
}

/// Returns a name for the build's inputs: the module's files and the flags.
fn key(module: &Path) -> Result<String, Unavailable> {
    let mut files = vec![module.join("go.mod"), module.join("go.sum")];
    for entry in fs::read_dir(module).map_err(at(module))? {
        let path = entry.map_err(at(module))?.path();
        if path.extension().is_some_and(|extension| extension == "go") {
            files.push(path);
        }
    }
    files.sort();
    let mut hash = Sha256::new_with_prefix(LDFLAGS);
    for path in files {
        let content = fs::read(&path).map_err(at(&path))?;
        hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(content);
    }
    Ok(hex(&hash.finalize()[..8]))
}

fn compile(module: &Path, binary: &Path) -> Result<(), Unavailable> {
    let run = Command::new("go")
        .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", LDFLAGS, "-o"])
        .args([binary, Path::new(".")])
        .current_dir(module)
        .stdin(Stdio::null())
        .output();
    let output = match run {
        Ok(output) => output,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(Unavailable::NoGo),
        Err(source) => return Err(Unavailable::Io { path: "go".into(), source }),
    };
    if output.status.success() {
        return Ok(());
    }
    let end = output.stderr.len().saturating_sub(OUTPUT_SHOWN);
    let output_shown = String::from_utf8_lossy(&output.stderr[end..]).trim().to_owned();
    Err(Unavailable::Build { status: output.status, output: output_shown })
}

/// Links the only binary under the name of each program.
fn link(folder: &Path) -> Result<(), Unavailable> {
    for program in Program::ALL {
        let name = folder.join(program.file());
        name_binary(folder, &name).map_err(at(&name))?;
    }
    Ok(())
}

#[cfg(unix)]
fn name_binary(_folder: &Path, name: &Path) -> io::Result<()> {
    // Relative: the folder is about to be renamed.
    std::os::unix::fs::symlink(binary(), name)
}

#[cfg(not(unix))]
fn name_binary(folder: &Path, name: &Path) -> io::Result<()> {
    // Symbolic links are a privilege on Windows.
    fs::copy(folder.join(binary()), name).map(|_bytes| ())
}

fn binary() -> String {
    format!("kube{}", std::env::consts::EXE_SUFFIX)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Unavailable {
    let path = path.to_owned();
    move |source| Unavailable::Io { path, source }
}
