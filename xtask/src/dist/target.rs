//! The systems for which a release is built.

use crate::release::IS_ORDERED;

/// A system for which a release is built.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) triple: &'static str,
    /// The names of the system and of the processor that Go, OCI and Krew have for them.
    pub(super) os: &'static str,
    pub(super) architecture: &'static str,
}

/// On Linux, programs are linked to nothing of the system's, so that one file runs on any distribution, and in an image that
/// has nothing else.
pub(super) const ALL: [Target; 5] = [
    Target { triple: "x86_64-unknown-linux-musl", os: "linux", architecture: "amd64" },
    Target { triple: "aarch64-unknown-linux-musl", os: "linux", architecture: "arm64" },
    Target { triple: "x86_64-pc-windows-gnu", os: "windows", architecture: "amd64" },
    Target { triple: "aarch64-apple-darwin", os: "darwin", architecture: "arm64" },
    Target { triple: "x86_64-apple-darwin", os: "darwin", architecture: "amd64" },
];

impl Target {
    /// Returns whether it can be linked here: for macOS only on macOS, whose frameworks nobody else may have.
    pub(super) fn is_built_here(&self) -> bool {
        (self.os == "darwin") == cfg!(target_os = "macos")
            && cfg!(any(target_os = "linux", target_os = "macos"))
    }

    /// Returns whether its program runs on this machine.
    pub(super) fn runs_here(&self) -> bool {
        let processor = self.triple.split('-').next().unwrap_or_default();
        let system = if self.os == "darwin" { "macos" } else { self.os };
        processor == std::env::consts::ARCH && system == std::env::consts::OS
    }

    /// Returns whether its functions are put into the order of their use: where the program runs, and the linker can watch it.
    pub(super) fn is_ordered(&self) -> bool {
        self.runs_here() && IS_ORDERED
    }

    /// Returns the name of the program's file.
    pub(super) fn program(&self) -> &'static str {
        if self.os == "windows" { "kwasm.exe" } else { "kwasm" }
    }

    /// Returns the extension of the archive that users of the system unpack without another program.
    pub(super) fn extension(&self) -> &'static str {
        if self.os == "windows" { "zip" } else { "tar.gz" }
    }
}
