//! Finds a toolchain that compiles for WebAssembly.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::{places, places::Places, process};

/// The target of the guests.
pub(crate) const COMPONENT: &str = "wasm32-wasip2";
/// The target of older plugins: core modules.
pub(crate) const CORE_MODULE: &str = "wasm32-wasip1";

/// The name under which `.ci/wasm-toolchain` links Debian's compiler.
const LINKED: &str = "wasi";

/// A toolchain with both targets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Toolchain {
    /// The toolchain that runs xtask.
    Active,
    /// The toolchain that rustup knows as `wasi`.
    Linked,
}

/// The guests' requirements of a toolchain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Need {
    /// The standard library for components, which is enough for a guest that opens no socket.
    Components,
    /// The standard library for core modules too, and a C library whose sockets can be made non-blocking, as
    /// hyper does it.
    Everything,
}

impl Need {
    fn targets(self) -> &'static [&'static str] {
        match self {
            Self::Components => &[COMPONENT],
            Self::Everything => &[COMPONENT, CORE_MODULE],
        }
    }
}

impl Toolchain {
    /// Finds a toolchain, and adds what is missing if possible: by rustup, or on Debian by the distribution's
    /// own compiler, if `install` allows it.
    ///
    /// # Errors
    /// If there is none, with the remedy.
    pub(crate) fn find(places: &Places, need: Need, install: bool) -> Result<Self> {
        if let Some(found) = Self::present(need) {
            return Ok(found);
        }
        let targets = need.targets().join(" ");
        if places::on_path("rustup").is_some() {
            eprintln!("adding {targets} by rustup");
            let added =
                process::succeeds(Command::new("rustup").args(["target", "add"]).args(need.targets()));
            match Self::present(need) {
                Some(found) => return Ok(found),
                None if added => eprintln!("their wasi-libc is too old: it has no fcntl for sockets"),
                None => eprintln!("rustup cannot add it"),
            }
        }
        let script = places.root.join(".ci").join("wasm-toolchain");
        let debian = Path::new("/etc/debian_version").exists();
        if debian && (install || places.ci) {
            eprintln!("installing Debian's compiler for WebAssembly");
            process::run(Command::new("bash").arg(&script))?;
            if let Some(found) = Self::present(need) {
                return Ok(found);
            }
        }
        let age = if need == Need::Everything { ", or older than Rust's of summer 2026" } else { "" };
        let cure =
            if debian { ", or, as root, `.ci/wasm-toolchain` (Debian's compiler, two minutes)" } else { "" };
        bail!(
            "no toolchain for WebAssembly: {targets} is missing{age}\n\
             hint: rustup update && rustup target add {targets}{cure}"
        )
    }

    fn present(need: Need) -> Option<Self> {
        [Self::Active, Self::Linked].into_iter().find(|toolchain| toolchain.has(need))
    }

    /// Returns a command of this toolchain, or one that calls its cargo and rustc, without the variables that
    /// are meant for this machine's own target.
    pub(crate) fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = match self {
            Self::Active => Command::new(program.as_ref()),
            Self::Linked => {
                let mut command = Command::new("rustup");
                // Cargo names itself to its children; this child is to use another one.
                command.args(["run", LINKED]).arg(program.as_ref()).env_remove("CARGO");
                command
            }
        };
        for flags in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            command.env_remove(flags);
        }
        command
    }

    pub(crate) fn cargo(self) -> Command {
        match self {
            Self::Active => self.command(Path::new(&places::cargo())),
            Self::Linked => self.command("cargo"),
        }
    }

    fn has(self, need: Need) -> bool {
        need.targets().iter().all(|target| self.has_std(target))
            && (need == Need::Components || self.has_sockets())
    }

    fn has_std(self, target: &str) -> bool {
        let Some(entries) = self.libraries(target).and_then(|folder| fs::read_dir(folder).ok()) else {
            return false;
        };
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    }

    /// Returns whether a socket can be made non-blocking by `fcntl`, as hyper does it: wasi-libc supports it
    /// since pull request 742, but the one of Rust 1.95 does not.
    fn has_sockets(self) -> bool {
        const NAME: &[u8] = b"tcp_fcntl_setfl";
        let libc = self.libraries(COMPONENT).map(|folder| folder.join("self-contained").join("libc.a"));
        let bytes = libc.and_then(|path| fs::read(path).ok()).unwrap_or_default();
        bytes.windows(NAME.len()).any(|part| part == NAME)
    }

    /// Asks rustc for the folder of the target's libraries, so that rustup is not required.
    fn libraries(self, target: &str) -> Option<PathBuf> {
        let mut command = self.command("rustc");
        command.args(["--print", "target-libdir", "--target", target]).stderr(Stdio::null());
        let output = command.output().ok()?;
        Some(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    }
}
