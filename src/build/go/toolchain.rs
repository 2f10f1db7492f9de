//! Finds the Go toolchain, and the settings with which it builds.

/// The releases of Go whose standard library is known: those that the Go project supports.
pub(super) const RELEASES: [&str; 2] = ["1.25", "1.26"];

/// A toolchain of the newest of them, by the name that `GOTOOLCHAIN` takes.
pub(super) const RECENT: &str = "go1.26.8";
