//! Errors between the programs and a cluster that is ready.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// The reason why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A certificate can't be made.
    #[error("certificate")]
    Certificate(#[from] rcgen::Error),
    /// A program of the cluster ended unexpectedly.
    #[error("{program} ended by itself: {status}\n{log}")]
    Ended {
        /// The program's name.
        program: &'static str,
        /// The exit status.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// A file or process of the cluster.
    #[error("{path}")]
    Io {
        /// The file or program.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// kubectl failed while the cluster was furnished.
    #[error("kubectl {arguments}: {output}")]
    Kubectl {
        /// The program's arguments.
        arguments: String,
        /// The program's standard error.
        output: String,
    },
    /// The cluster was not ready in time.
    #[error("no {awaited} within {seconds} seconds\n{logs}")]
    Late {
        /// The missing condition.
        awaited: &'static str,
        /// The time it had.
        seconds: u64,
        /// The end of each program's log.
        logs: String,
    },
    /// A command that prepares the machine for a node failed.
    #[error("{command}: {output}")]
    Machine {
        /// The command.
        command: String,
        /// Its standard error.
        output: String,
    },
    /// No standing cluster exists.
    #[error("no standing cluster: start one by `kwasm-cluster up`")]
    NotStanding,
    /// A port that was free a moment ago is taken. The supervisor tries other ports a few times before it
    /// says so.
    #[error("{program} found its port taken")]
    PortTaken {
        /// The program that wanted the port.
        program: &'static str,
    },
    /// The signal to end came before the cluster was ready.
    #[error("ended before the cluster was ready")]
    Stopped,
    /// The supervisor gave up; these are its words.
    #[error("{0}")]
    Supervisor(String),
    /// The supervisor can't be built.
    #[error("cargo build --package kwasm-cluster: {0}")]
    SupervisorBuild(String),
}

impl Error {
    /// Names the file or program of an I/O error.
    pub(crate) fn at(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Returns an error with its causes, separated by colons.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
