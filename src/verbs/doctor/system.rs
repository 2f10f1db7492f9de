//! Check of the system: whether it runs what kwasm compiles.

use std::path::Path;

use super::check::{Check, Patient, Problem};
use crate::platform::shell::path_word;
use crate::runtime::{self, Execution};

/// The processor and the system for which this kwasm compiles plugins.
const SYSTEM: &str = if cfg!(target_os = "macos") {
    "macOS"
} else if cfg!(windows) {
    "Windows"
} else {
    "Linux"
};

/// Checks that compiled code can be mapped and run: hardened systems, and file systems without execution, forbid it.
pub(super) fn code(patient: &Patient<'_>) -> Check {
    let folder = patient.store.places().compiled();
    let architecture = std::env::consts::ARCH;
    let found = format!("{SYSTEM} runs what is compiled for {architecture}");
    let problems = match runtime::probe(&folder) {
        Ok(Execution::Mapped) => Vec::new(),
        Ok(Execution::Copied) => {
            let why = "its file system is mounted noexec: code is copied into memory at each start";
            vec![Problem::at(&folder, why, mounted(&folder))]
        }
        Err(runtime::Error::Forbidden(why)) => {
            vec![Problem::new("compiled code", format!("it cannot be run: {why}"), allowed())]
        }
        Err(error) => {
            let report = "kwasm --version, and a report of it: no plugin runs here";
            vec![Problem::new("compiled code", format!("it cannot be run: {error}"), report)]
        }
    };
    Check { name: "code", found, problems }
}

/// Returns the command by which code can be executed from a folder, for who may.
fn mounted(folder: &Path) -> String {
    if cfg!(target_os = "linux") {
        let folder = path_word(folder);
        format!(
            "sudo mount -o remount,exec \"$(findmnt -n -o TARGET -T {folder})\", or leave it: plugins run all the same"
        )
    } else {
        "mount it without noexec, or leave it: plugins run all the same".to_owned()
    }
}

/// Returns what lets a process run code that it has made.
fn allowed() -> &'static str {
    if cfg!(target_os = "macos") {
        "codesign --force --sign - --entitlements FILE kwasm, with com.apple.security.cs.allow-unsigned-executable-memory in it"
    } else if cfg!(windows) {
        "allow dynamic code for kwasm.exe in its exploit protection settings (Arbitrary Code Guard)"
    } else {
        "setsebool -P deny_execmem 0, where SELinux denies it"
    }
}
