//! The Go toolchain, and the settings with which it builds.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Fault;
use super::release;
use crate::build::tools::{Answer, Call, Tools};
use crate::build::{Error, Language};

/// The settings of Go that a build needs (`go help environment`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) struct Settings {
    /// The folder of the toolchain.
    pub(super) goroot: PathBuf,
    /// The version of the toolchain.
    goversion: String,
    /// The folder of downloaded modules.
    pub(super) gomodcache: PathBuf,
    /// The `go.mod` of the folder.
    pub(super) gomod: String,
    /// The `go.work` of the folder; `off` or empty if there is none.
    gowork: String,
    /// The flags for every call of `go`.
    pub(super) goflags: String,
}

/// A Go toolchain of a known release.
pub(super) struct Go<'a> {
    pub(super) tools: &'a Tools,
    /// The folder in which it is called.
    pub(super) folder: PathBuf,
    pub(super) settings: Settings,
    /// Its release, e.g. `1.26`.
    pub(super) release: &'static str,
    /// Whether no workspace of the user's counts.
    is_alone: bool,
}

impl<'a> Go<'a> {
    /// Finds the toolchain with which a folder is built: the one on `PATH`, or one that it fetches because
    /// `go.mod` or `GOTOOLCHAIN` says so.
    ///
    /// # Errors
    /// If there is none, or its release is not known.
    pub(super) fn find(tools: &'a Tools, folder: &Path, is_alone: bool) -> Result<Self, Error> {
        let names = ["GOROOT", "GOVERSION", "GOMODCACHE", "GOMOD", "GOWORK", "GOFLAGS"];
        let call = call(folder, "env", is_alone).args(["-json"]).args(names);
        let settings: Settings = parsed(&call, &read(tools, &call)?)?;
        let version = settings.goversion.clone();
        let Some(release) = release::known(&version) else {
            let switches = release::switches(&version);
            return Err(Fault::Unknown { version, switches }.into());
        };
        Ok(Self { tools, folder: folder.to_owned(), settings, release, is_alone })
    }

    /// Returns the version, e.g. `go1.26.8`.
    pub(super) fn version(&self) -> &str {
        &self.settings.goversion
    }

    /// Returns the `go.work` of the folder, or `None` if it is in no workspace.
    pub(super) fn workspace(&self) -> Option<&Path> {
        let path = Path::new(&self.settings.gowork);
        path.is_absolute().then_some(path)
    }

    /// Returns a call of a verb of `go` in the folder.
    pub(super) fn call(&self, verb: &str) -> Call {
        call(&self.folder, verb, self.is_alone)
    }

    /// Returns what a call prints.
    pub(super) fn read(&self, call: &Call) -> Result<String, Error> {
        read(self.tools, call)
    }

    /// Makes a call that prints to the user.
    pub(super) fn show(&self, call: &Call) -> Result<(), Error> {
        self.tools.show(call)?.ok_or_else(missing)
    }
}

/// Returns a call of a verb of `go`, for a program of WASI. With `is_alone`, no workspace of the user's counts.
pub(super) fn call(folder: &Path, verb: &str, is_alone: bool) -> Call {
    let call = Call::new("go", folder).args([verb]);
    let workspace = is_alone.then_some(("GOWORK", "off"));
    [("GOOS", "wasip1"), ("GOARCH", "wasm"), ("CGO_ENABLED", "0"), ("GO111MODULE", "on")]
        .into_iter()
        .chain(workspace)
        .fold(call, |call, (name, value)| call.env(name, value))
}

fn read(tools: &Tools, call: &Call) -> Result<String, Error> {
    tools.read(call)?.ok_or_else(missing)
}

/// Makes a call that may fail.
pub(super) fn attempt(tools: &Tools, call: &Call) -> Result<Answer, Error> {
    tools.attempt(call)?.ok_or_else(missing)
}

/// Returns the JSON that a call printed.
pub(super) fn parsed<T: DeserializeOwned>(call: &Call, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Answer { call: call.shown(), why: error.to_string() })
}

fn missing() -> Error {
    let cure = "install Go 1.25 or newer: https://go.dev/dl/";
    Error::NoTool { tool: "go", language: Language::Go, cure }
}
