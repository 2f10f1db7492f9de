//! The packages of a program, and the modules that they come from, as `go list` shows them.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Fault;
use super::flags::Flags;
use super::overlay::Overlay;
use super::toolchain::Go;
use super::versions::Versions;
use crate::build::Error;

/// A package.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Package {
    pub(super) import_path: String,
    /// The name of its package clause; empty if it cannot be read.
    pub(super) name: String,
    pub(super) dir: PathBuf,
    /// Whether it is there only because another package needs it.
    pub(super) dep_only: bool,
    /// The module that it is of; `None` for the standard library's.
    pub(super) module: Option<Module>,
}

/// A module.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Module {
    pub(super) path: String,
    pub(super) version: String,
    /// Its `go.mod`, which may be outside of its folder.
    pub(super) go_mod: PathBuf,
    /// The module in its place.
    pub(super) replace: Option<Box<Self>>,
}

impl Module {
    /// Returns the module whose code is used: the one in its place, if there is one.
    pub(super) fn used(&self) -> &Self {
        self.replace.as_deref().unwrap_or(self)
    }
}

impl Package {
    /// Returns the name of the program, as `go build` names its file: the last element of the import path,
    /// without that of a major version.
    pub(super) fn program_name(&self) -> String {
        let mut elements = self.import_path.rsplit('/');
        let last = elements.next().unwrap_or_default();
        let is_version = last.strip_prefix('v').is_some_and(|number| {
            number.parse().is_ok_and(|number: u32| number > 1) && !number.starts_with(['0', '+'])
        });
        let name = if is_version { elements.next().unwrap_or(last) } else { last };
        name.to_owned()
    }
}

/// The way in which packages are listed and compiled.
pub(super) struct Settled<'a> {
    pub(super) go: &'a Go<'a>,
    pub(super) flags: &'a Flags,
    pub(super) versions: &'a Versions,
    /// Whether the copied `go.mod` may be completed.
    pub(super) completes: bool,
}

impl Settled<'_> {
    /// Lists the packages that a pattern stands for and all that they need. Packages with errors are in it
    /// too.
    pub(super) fn packages(&self, overlay: &Overlay<'_>, pattern: &str) -> Result<Vec<Package>, Error> {
        let call = self.versions.used_by(self.go.call("list"));
        let fields = "-json=ImportPath,Name,Dir,DepOnly,Module";
        let call = call.args(["-deps", "-e", fields, &overlay.argument()?]).args(self.flags.of_list());
        let call = call.args(self.mode()).args(["--", pattern]);
        let text = self.go.read(&call)?;
        let packages = serde_json::Deserializer::from_str(&text).into_iter();
        packages
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Answer { call: call.shown(), why: error.to_string() })
    }

    /// Returns the program among the packages that a pattern stands for.
    ///
    /// # Errors
    /// [`Fault::Several`] and [`Fault::Library`]. A package that has errors is returned: `go build` explains
    /// them.
    pub(super) fn program(
        &self,
        overlay: &Overlay<'_>,
        pattern: &str,
        listed: Vec<Package>,
    ) -> Result<Package, Error> {
        let mut named: Vec<_> = listed.into_iter().filter(|package| !package.dep_only).collect();
        if named.len() > 1 {
            let packages = named.into_iter().map(|package| package.import_path).collect();
            return Err(Fault::Several { pattern: pattern.to_owned(), packages }.into());
        }
        let package = named.pop().unwrap_or_default();
        if package.name.is_empty() || package.name == "main" {
            return Ok(package);
        }
        let of_module = package.module.as_ref().map(|module| format!("{}/...", module.path));
        let others =
            of_module.map(|pattern| self.packages(overlay, &pattern)).transpose()?.unwrap_or_default();
        let is_program = |package: &Package| !package.dep_only && package.name == "main";
        let programs = others.into_iter().filter(is_program).map(|package| package.import_path).collect();
        Err(Fault::Library { package: package.import_path, name: package.name, programs }.into())
    }

    /// Compiles a program to a core module.
    pub(super) fn compile(&self, overlay: &Overlay<'_>, pattern: &str, output: &Path) -> Result<(), Error> {
        let call = self.versions.used_by(self.go.call("build"));
        let call = call.args(["-trimpath", &overlay.argument()?]).args(self.mode());
        let call = call.args(self.flags.of_build()).args([format!("-o={}", output.display())]);
        // What it compiles goes with the rest when a signal ends it.
        let call = call.env("GOTMPDIR", output.parent().unwrap_or(output));
        self.go.show(&call.args(["--", pattern]))
    }

    fn mode(&self) -> Option<&'static str> {
        self.completes.then_some("-mod=mod")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_by_the_last_element_that_is_no_version() {
        for (import_path, name) in [
            ("github.com/a/kubectl-tree/cmd/kubectl-tree", "kubectl-tree"),
            ("example.com/x/v2", "x"),
            ("example.com/x/v1", "v1"),
            ("example.com/x/v02", "v02"),
            ("example.com/x/vault", "vault"),
            ("x", "x"),
        ] {
            let package = Package { import_path: import_path.to_owned(), ..Package::default() };
            assert_eq!(package.program_name(), name, "{import_path}");
        }
    }

    #[test]
    fn a_package_is_read_from_what_go_lists() {
        let text = r#"{"ImportPath": "os", "Name": "os", "DepOnly": true}
            {"Dir": "/m", "ImportPath": "x/y", "Name": "main", "Module": {"Path": "x", "Version": "v1.0.0",
             "GoMod": "/c/x.mod", "Replace": {"Path": "z", "Version": "v2.0.0", "GoMod": "/c/z.mod"}}}"#;
        let packages = serde_json::Deserializer::from_str(text).into_iter::<Package>();
        let packages: Vec<_> = packages.map(Result::unwrap).collect();
        assert!(packages[0].dep_only && packages[0].module.is_none());
        let module = packages[1].module.as_ref().unwrap();
        assert_eq!((module.path.as_str(), module.used().version.as_str()), ("x", "v2.0.0"));
    }
}
