//! Programs from crates.io that are built once a version, outside of the clone.

use std::{
    env::consts::EXE_SUFFIX,
    fs::{self, File},
    path::PathBuf,
};

use anyhow::{Context, Result};

use crate::{cargo, places::Places, process};

/// A program of a published crate.
#[derive(Debug)]
pub(crate) struct Tool {
    package: &'static str,
    version: &'static str,
    program: &'static str,
    /// How `cargo install` shall build it.
    options: &'static [&'static str],
}

/// Checks licences, bans and sources of dependencies.
pub(crate) const CARGO_DENY: Tool =
    Tool { package: "cargo-deny", version: "0.20.2", program: "cargo-deny", options: &["--debug"] };

/// Makes components of core modules with an adapter, as many plugins in the wild are made.
pub(crate) const CARGO_COMPONENT: Tool =
    Tool { package: "cargo-component", version: "0.21.1", program: "cargo-component", options: &["--debug"] };

/// The peer of the start-up benchmarks: the version that kwasm embeds, as people have it.
pub(crate) const WASMTIME: Tool =
    Tool { package: "wasmtime-cli", version: "48.0.8", program: "wasmtime", options: &[] };

impl Tool {
    /// The path of the program; builds it where that was not done yet.
    pub(crate) fn find_or_build(&self, places: &Places) -> Result<PathBuf> {
        let tools = places.cache.join("tools");
        let home = tools.join(format!("{}-{}", self.package, self.version));
        let program = home.join("bin").join(format!("{}{EXE_SUFFIX}", self.program));
        if program.is_file() {
            return Ok(program);
        }
        fs::create_dir_all(&tools).with_context(|| format!("cannot create {}", tools.display()))?;
        // Two clones on one machine share the tools: the second waits for the first.
        let lock = File::create(tools.join(format!("{}.lock", self.package)))?;
        lock.lock()?;
        if !program.is_file() {
            self.build(places, &home, &tools.join("build").join(self.package))?;
        }
        Ok(program)
    }

    fn build(&self, places: &Places, home: &PathBuf, work: &PathBuf) -> Result<()> {
        eprintln!("building {} {} once (minutes), into {}", self.package, self.version, home.display());
        let mut install = cargo::command(&places.root);
        install
            .args(["install", "--quiet", "--locked", self.package, "--version", self.version])
            .args(self.options)
            .arg("--root")
            .arg(home)
            // Kept until it is done: an interrupted build goes on where it was.
            .env("CARGO_TARGET_DIR", work)
            // Nobody debugs them, and a third of the time goes into what a debugger needs.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env_remove("CARGO_BUILD_TARGET");
        process::run(&mut install)?;
        fs::remove_dir_all(work).with_context(|| format!("cannot remove {}", work.display()))
    }
}
