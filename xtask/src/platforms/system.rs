//! Another system on this machine: Linux on ARM by QEMU, or Windows by Wine.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    places::{Places, Scratch},
    process,
};

/// The folder of Wine's programs, which Debian does not put on `PATH`.
const WINE: &str = "/usr/lib/wine";

/// Where Debian has the libraries of Linux on ARM.
const ARM: &str = "/usr/aarch64-linux-gnu";

/// What runs a program of another system.
#[derive(Clone, Copy, Debug)]
pub(super) enum Runner {
    Qemu,
    Wine,
}

/// Another system with a home of its own, which goes when the value is dropped.
#[derive(Debug)]
pub(super) struct System {
    runner: Runner,
    home: Scratch,
    kwasm: PathBuf,
}

impl Runner {
    /// Returns the command to which a program and its arguments are added.
    pub(super) fn words(self) -> Vec<String> {
        match self {
            Self::Qemu => vec!["qemu-aarch64".to_owned(), "-L".to_owned(), ARM.to_owned()],
            Self::Wine => vec![format!("{WINE}/wine64")],
        }
    }
}

impl System {
    pub(super) fn start(places: &Places, runner: Runner, kwasm: &Path) -> Result<Self> {
        let system = Self { runner, home: places.scratch("platforms")?, kwasm: kwasm.to_owned() };
        if matches!(runner, Runner::Wine) {
            process::output(&mut system.command("cmd", &["/c", "ver"])).context("Wine does not start")?;
            let library = system.drive().join("windows/system32/bcryptprimitives.dll");
            if !library.exists() {
                let source = places.root.join("xtask/src/platforms/prng.c");
                let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
                process::run(compiler.arg("-shared").arg(source).arg("-o").arg(library).arg("-ladvapi32"))?;
            }
        }
        Ok(system)
    }

    /// Returns a command of kwasm.
    pub(super) fn kwasm(&self, arguments: &[&str]) -> Command {
        self.command(self.kwasm.as_os_str(), arguments)
    }

    /// Returns a command of a program of the other system.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let words = self.runner.words();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(program).args(arguments).current_dir(self.home.path());
        // The user's own folders and settings are not those of the home.
        for variable in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "KUBECONFIG"]
        {
            command.env_remove(variable);
        }
        command.env("KWASM_BIN_DIR", self.path(&self.links())).env("HOME", self.home.path());
        self.surround(&mut command);
        command
    }

    /// Gives a command what its programs of the other system need to run in this home.
    pub(super) fn surround(&self, command: &mut Command) {
        if matches!(self.runner, Runner::Wine) {
            command
                .env("WINEPREFIX", self.prefix())
                // What it adds to the PATH of the other system.
                .env("WINEPATH", self.path(&self.links()))
                .env("WINEDEBUG", "-all")
                // Neither a window nor the parts that it would download.
                .env("WINEDLLOVERRIDES", "mscoree,mshtml=");
        }
    }

    /// Returns the folder of links.
    pub(super) fn links(&self) -> PathBuf {
        self.home.path().join("bin")
    }

    /// Returns the link of this name.
    pub(super) fn link(&self, name: &str) -> PathBuf {
        self.links().join(match self.runner {
            Runner::Qemu => name.to_owned(),
            Runner::Wine => format!("{name}.exe"),
        })
    }

    /// Returns a file in the home, by its name.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Returns kwasm's own folders that exist.
    pub(super) fn own_folders(&self) -> Vec<PathBuf> {
        let home = self.home.path();
        let folders = match self.runner {
            Runner::Qemu => vec![home.join(".local/share/kwasm"), home.join(".cache/kwasm")],
            Runner::Wine => {
                let users = fs::read_dir(self.drive().join("users")).into_iter().flatten().flatten();
                let data = users.map(|user| user.path().join("AppData"));
                data.flat_map(|data| [data.join("Roaming/kwasm"), data.join("Local/kwasm")]).collect()
            }
        };
        folders.into_iter().filter(|folder| folder.is_dir()).collect()
    }

    /// Returns the path of a file of this machine as the other system knows it.
    pub(super) fn path(&self, path: &Path) -> String {
        match self.runner {
            Runner::Qemu => path.display().to_string(),
            // Wine has this machine's root as a drive.
            Runner::Wine => format!("Z:{}", path.display()).replace('/', "\\"),
        }
    }

    fn prefix(&self) -> PathBuf {
        self.home.path().join("wine")
    }

    fn drive(&self) -> PathBuf {
        self.prefix().join("drive_c")
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if matches!(self.runner, Runner::Wine) {
            // That of this home alone. It would write to the home for some seconds more.
            let mut server = Command::new(format!("{WINE}/wineserver64"));
            process::succeeds(server.args(["--kill", "--wait"]).env("WINEPREFIX", self.prefix()));
        }
    }
}
