//! The folders and settings of the commands. Only this file reads the environment.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::cargo;

/// The folders in which the commands work.
#[derive(Debug)]
pub(crate) struct Places {
    /// The root of the workspace.
    pub(crate) root: PathBuf,
    /// Cargo's target directory for the workspace.
    pub(crate) target: PathBuf,
    /// The folder of everything that is built once for each version and shared by all clones: tools and
    /// control planes.
    pub(crate) cache: PathBuf,
    /// Whether it runs in continuous integration, where nothing may be skipped.
    pub(crate) ci: bool,
}

impl Places {
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask has no parent folder")?.to_owned();
        let target = cargo::target_directory(&root)?;
        let cache = match set("KWASM_DEV_CACHE") {
            // Tests run in another working directory.
            Some(path) => env::current_dir()?.join(path),
            None => user_cache().context("no cache directory: set KWASM_DEV_CACHE")?.join("kwasm-dev"),
        };
        Ok(Self { root, target, cache, ci: set("CI").is_some_and(|value| value == "true") })
    }

    /// Returns the workspace for authors of plugins: plugins, their library, examples.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.root.join("components")
    }

    /// Returns the workspace of the guests that only tests run.
    pub(crate) fn guests(&self) -> PathBuf {
        self.root.join("tests").join("guests")
    }

    /// Returns the workspaces that are compiled to WebAssembly, each with a lock file of its own.
    pub(crate) fn wasm_workspaces(&self) -> [PathBuf; 2] {
        [self.plugins(), self.guests()]
    }

    /// Returns the folder of compiled guests, one `NAME.wasm` each.
    pub(crate) fn components(&self) -> PathBuf {
        self.target.join("components")
    }

    /// Creates an empty folder that is removed when the value is dropped.
    pub(crate) fn scratch(&self, name: &str) -> Result<Scratch> {
        let path = self.target.join("xtask").join(format!("{name}-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Scratch(path))
    }
}

/// A temporary folder.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The rest is in the target directory, where `cargo clean` finds it.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Returns the cargo that runs this program, so that its children use the same toolchain.
pub(crate) fn cargo() -> OsString {
    set("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Returns cargo's own folder, in which the sources of crates are.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    set("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}

/// Returns the full path of a program on `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&set("PATH")?).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// Returns `PATH` with a folder before all others.
pub(crate) fn path_with(first: &Path) -> Result<OsString> {
    let old = set("PATH").unwrap_or_default();
    Ok(env::join_paths(std::iter::once(first.to_owned()).chain(env::split_paths(&old)))?)
}

fn user_cache() -> Option<PathBuf> {
    let home = || set("HOME").map(PathBuf::from);
    if let Some(path) = set("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        return Some(path);
    }
    if cfg!(windows) {
        set("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        home().map(|home| home.join(".cache"))
    }
}

/// Returns a variable that is set and not empty.
#[expect(clippy::disallowed_methods, reason = "xtask reads the environment here, and nowhere else")]
fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
