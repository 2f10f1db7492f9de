//! Errors between the programs and a registry that answers.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// The reason why there is no registry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Go ran and failed.
    #[error("go build: {status}\n{output}")]
    Build {
        /// The exit status.
        status: ExitStatus,
        /// The end of what it wrote.
        output: String,
    },
    /// A certificate can't be made.
    #[error("certificate")]
    Certificate(#[from] rcgen::Error),
    /// The registry ended unexpectedly.
    #[error("the registry ended by itself: {status}\n{log}")]
    Ended {
        /// The exit status.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// A file, program or socket.
    #[error("{path}")]
    Io {
        /// The file or program.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The registry did not listen in time.
    #[error("the registry did not listen within {seconds} seconds\n{log}")]
    Late {
        /// The time it had.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
    /// The program `docker-registry` is missing.
    #[error(
        "no docker-registry: `cargo xtask test` gets it, or put it on PATH (a package of Debian has this name)"
    )]
    NoDistribution,
    /// The program `go` is missing.
    #[error("no registry with the referrers API: install Go (https://go.dev/dl/) to build one")]
    NoGo,
    /// The password can't be hashed.
    #[error("bcrypt: {0}")]
    Password(bcrypt::BcryptError),
}

impl Error {
    /// Names the file, program or socket of an I/O error.
    pub(crate) fn at(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { path, source }
    }
}
