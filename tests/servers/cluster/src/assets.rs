//! The source of the programs: a folder that the user names, or the Go module beside this crate.

use std::io;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use crate::environment;
use crate::go_module;
use crate::process::Launch;
use crate::program::Program;

/// A folder with the programs of a control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    folder: PathBuf,
    origin: Origin,
}

/// The origin of the programs, which determines how they are made to end with their supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Our own binary, which watches its standard input.
    Built,
    /// Anyone's.
    Given,
}

/// The reason why this machine can't run a control plane, and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The folder lacks a program of [`Program::REQUIRED`].
    #[error("{folder} lacks {missing}: $KUBEBUILDER_ASSETS must have etcd, kube-apiserver and kubectl")]
    Incomplete {
        /// The folder that was looked into.
        folder: PathBuf,
        /// The names of what it lacks, separated by commas.
        missing: String,
    },
    /// Go is not installed, and no folder was given.
    #[error(
        "no control plane: install Go (https://go.dev/dl/) to build one, \
         or set $KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl"
    )]
    NoGo,
    /// Go ran and failed.
    #[error("go build: {status}\n{output}")]
    Build {
        /// The exit status.
        status: std::process::ExitStatus,
        /// The end of what it wrote.
        output: String,
    },
    /// The cache can't be written, or the module can't be read.
    #[error("{path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl Assets {
    /// Uses the programs in `$KUBEBUILDER_ASSETS` if that is set, otherwise builds the Go module into
    /// `cache/cluster/KEY`, unless that has been done: it takes minutes the first time, and nothing
    /// afterwards. Callers in several processes build once.
    ///
    /// # Errors
    /// A message about what to install or to repair; see [`Unavailable`].
    pub fn find_or_build(cache: &Path) -> Result<Self, Unavailable> {
        match environment::assets() {
            Some(folder) => Self::given(&folder),
            None => Self::built(&go_module::build(cache)?),
        }
    }

    /// Uses the programs of a folder such as `$KUBEBUILDER_ASSETS`, wherever they are from.
    ///
    /// # Errors
    /// If one of [`Program::REQUIRED`] is not there.
    pub fn given(folder: &Path) -> Result<Self, Unavailable> {
        Self::complete(folder, Origin::Given)
    }

    /// Takes the programs of a folder that [`Assets::find_or_build`] made.
    ///
    /// # Errors
    /// If one of [`Program::REQUIRED`] is not there.
    pub fn built(folder: &Path) -> Result<Self, Unavailable> {
        Self::complete(folder, Origin::Built)
    }

    /// Returns the folder of the programs, absolute.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the path of one program, if the folder has it.
    #[must_use]
    pub fn program(&self, program: Program) -> Option<PathBuf> {
        Some(self.path(program)).filter(|path| path.is_file())
    }

    /// Returns the programs that the folder lacks, which limits what a cluster from it can do. Always empty
    /// for programs that were built here.
    ///
    /// kwok needs `kwok-stages` beside it, and pods run only with kwok, the scheduler and the controller
    /// manager.
    #[must_use]
    pub fn missing(&self) -> Vec<Program> {
        Program::ALL.into_iter().filter(|program| self.program(*program).is_none()).collect()
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// Returns a program as it is to be started.
    pub(crate) fn launch(&self, program: Program) -> Launch {
        Launch { name: program.name(), path: self.path(program), origin: self.origin }
    }

    /// Returns the path at which the program is, or would be.
    pub(crate) fn path(&self, program: Program) -> PathBuf {
        self.folder.join(program.file())
    }

    fn complete(folder: &Path, origin: Origin) -> Result<Self, Unavailable> {
        // The programs are started in another working folder.
        let folder = std::path::absolute(folder)
            .map_err(|source| Unavailable::Io { path: folder.to_owned(), source })?;
        let assets = Self { folder, origin };
        let missing: Vec<_> = Program::REQUIRED
            .into_iter()
            .filter(|program| assets.program(*program).is_none())
            .map(Program::name)
            .collect();
        if missing.is_empty() {
            Ok(assets)
        } else {
            Err(Unavailable::Incomplete { folder: assets.folder, missing: missing.join(", ") })
        }
    }
}

/// Returns the folder in which tests keep what is built once and used by every clone: `$KWASM_DEV_CACHE`, or
/// else e.g. `~/.cache/kwasm-dev`.
#[must_use]
pub fn default_cache() -> PathBuf {
    environment::cache().unwrap_or_else(|| {
        let base = BaseDirs::new().map_or_else(std::env::temp_dir, |dirs| dirs.cache_dir().to_owned());
        base.join("kwasm-dev")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_the_api_server_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for program in [Program::Etcd, Program::Kubectl] {
            std::fs::write(folder.path().join(program.file()), "").unwrap();
        }
        let refusal = Assets::given(folder.path()).unwrap_err();
        assert!(
            matches!(&refusal, Unavailable::Incomplete { missing, .. } if missing == "kube-apiserver"),
            "{refusal}"
        );
    }

    #[test]
    fn what_envtest_installs_is_enough_and_the_rest_is_told_as_missing() {
        let folder = tempfile::tempdir().unwrap();
        for program in Program::REQUIRED {
            std::fs::write(folder.path().join(program.file()), "").unwrap();
        }
        let missing = Assets::given(folder.path()).unwrap().missing();
        assert_eq!(
            missing.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["kube-controller-manager", "kube-oracle", "kube-scheduler", "kwok", "kwok-stages"]
        );
    }
}
