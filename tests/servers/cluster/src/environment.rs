//! The environment variables that are read, each in one place.
#![expect(
    clippy::disallowed_methods,
    reason = "this package is no part of kwasm: it has an environment of its own"
)]

use std::ffi::OsString;
use std::path::PathBuf;

/// Returns a folder with a control plane's programs, in the variable by which the Kubernetes projects name
/// it.
pub(crate) fn assets() -> Option<PathBuf> {
    path("KUBEBUILDER_ASSETS")
}

/// Returns the supervisor's binary, for those who have built it already.
pub(crate) fn supervisor() -> Option<PathBuf> {
    path("KWASM_CLUSTER_SUPERVISOR")
}

/// Returns the folder in which the project's automation keeps what is built once.
pub(crate) fn cache() -> Option<PathBuf> {
    path("KWASM_DEV_CACHE")
}

/// Returns the cargo that runs the tests, or the one that a shell would find.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
