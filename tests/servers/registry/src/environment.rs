//! The environment variables that are read, each in one place.
#![expect(
    clippy::disallowed_methods,
    reason = "this package is no part of kwasm: it has an environment of its own"
)]

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::PathBuf;

use directories::BaseDirs;

/// Returns the full path of a program that registries are tested with: in the folder that `$KWASM_TOOLS`
/// names, which `cargo xtask test` fills, or, if that is not set, on `PATH`.
#[must_use]
pub fn tool(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{EXE_SUFFIX}");
    let folders = set("KWASM_TOOLS").or_else(|| set("PATH")).unwrap_or_default();
    std::env::split_paths(&folders).map(|folder| folder.join(&file)).find(|path| path.is_file())
}

/// Returns the folder in which tests keep what is built once and used by every clone: `$KWASM_DEV_CACHE`, or
/// else e.g. `~/.cache/kwasm-dev`.
pub(crate) fn cache() -> PathBuf {
    set("KWASM_DEV_CACHE").map_or_else(
        || {
            let base = BaseDirs::new().map_or_else(std::env::temp_dir, |dirs| dirs.cache_dir().to_owned());
            base.join("kwasm-dev")
        },
        PathBuf::from,
    )
}

fn set(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|value| !value.is_empty())
}
