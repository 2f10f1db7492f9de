//! The toolchains of other languages, with what they have fetched and built before: a test's own home is empty.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Kwasm;

/// Returns the toolchain of Rust that has the target of components: the default one (`None`), or else the one named `wasi`.
pub(crate) fn wasm_toolchain() -> Option<&'static str> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", "wasm32-wasip2"])
        .output()
        .unwrap();
    let folder = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    (!folder.join("self-contained").exists() && fs::read_dir(folder).map_or(0, Iterator::count) == 0)
        .then_some("wasi")
}

/// Gives a kwasm, and the programs in its home, the toolchains of this machine.
pub(crate) fn with_toolchains(kwasm: Kwasm) -> Kwasm {
    let mut kwasm = kwasm;
    for (name, value) in rust_homes().into_iter().chain(go_settings()) {
        kwasm = kwasm.variable(name, value);
    }
    kwasm
}

/// Returns the folders of Rust's toolchains, which are in the user's home unless a variable says otherwise.
pub(crate) fn rust_homes() -> Vec<(&'static str, OsString)> {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    let of = |name: &'static str, folder: &str| {
        (name, std::env::var_os(name).unwrap_or_else(|| home.join(folder).into()))
    };
    let toolchain = std::env::var_os("RUSTUP_TOOLCHAIN").map(|toolchain| ("RUSTUP_TOOLCHAIN", toolchain));
    [of("RUSTUP_HOME", ".rustup"), of("CARGO_HOME", ".cargo")].into_iter().chain(toolchain).collect()
}

/// Returns Go's settings that depend on the home.
fn go_settings() -> Vec<(&'static str, OsString)> {
    const NAMES: [&str; 5] = ["GOCACHE", "GOFLAGS", "GOMODCACHE", "GOPROXY", "GOSUMDB"];
    let Ok(output) = Command::new("go").arg("env").args(NAMES).output() else { return Vec::new() };
    let values = String::from_utf8(output.stdout).unwrap();
    NAMES.into_iter().zip(values.lines().map(OsString::from)).collect()
}

/// Returns the folder for what cargo builds of a test's projects, which is kept from run to run.
pub(crate) fn kept_target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects").join(name)
}
