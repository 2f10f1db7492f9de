//! A kwasm with a home of its own, so that nothing of the user's is read or changed.

use std::{
    env::consts::EXE_SUFFIX,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::places::{self, Places, Scratch};

/// A temporary home, removed when the value is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    folder: Scratch,
    kwasm: PathBuf,
}

impl Home {
    pub(crate) fn new(places: &Places, name: &str, kwasm: &Path) -> Result<Self> {
        Ok(Self { folder: places.scratch(name)?, kwasm: kwasm.to_owned() })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the folder of links, which is first on the `PATH` of all commands here.
    pub(crate) fn links(&self) -> PathBuf {
        self.path().join("bin")
    }

    /// Returns the link of an installed plugin.
    pub(crate) fn link(&self, plugin: &str) -> PathBuf {
        self.links().join(format!("kubectl-{plugin}{EXE_SUFFIX}"))
    }

    pub(crate) fn kwasm(&self) -> Result<Command> {
        self.command(&self.kwasm)
    }

    /// Returns a command that uses this home instead of the user's.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let mut command = Command::new(program);
        command
            .env("KWASM_HOME", self.path().join("data"))
            .env("KWASM_BIN_DIR", self.links())
            // Nothing goes on in the background, beside a measurement or after the home is gone.
            .env("KWASM_COMPILE", "optimized")
            .env("PATH", places::path_with(&self.links())?);
        // What the systems know as the home, and as the folders that usually lie in it.
        for variable in
            ["HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"]
        {
            command.env(variable, self.path());
        }
        Ok(command)
    }
}
