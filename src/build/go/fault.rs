//! Errors of projects in Go, and their hints.

use std::io;
use std::path::PathBuf;

use super::release::{RECENT, RELEASES};
use crate::message::Explain;

/// The reason why a Go project was not built.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The changes that are embedded in kwasm, which a test reads before each release.
    #[error("kwasm was built with changes of Go that cannot be read: {why}")]
    Embedded {
        /// The reason.
        why: String,
    },
    /// A flag in GOFLAGS that would spoil the build.
    #[error("GOFLAGS: the flag {flag} cannot be used with kwasm build: {why}")]
    Flag {
        /// The flag.
        flag: String,
        /// The reason.
        why: &'static str,
    },
    /// A place of the standard library that is not as expected.
    #[error(
        "{}: it is not the file of {version} that kwasm knows: the text to replace is there {count} times, and not once",
        path.display()
    )]
    Foreign {
        /// The file of the standard library.
        path: PathBuf,
        /// Go's version.
        version: String,
        /// How often the text is in it.
        count: usize,
    },
    /// A package that is not a program.
    #[error("{package}: it is a library (package {name}), not a program")]
    Library {
        /// Its import path.
        package: String,
        /// The name of its package clause.
        name: String,
        /// The programs of its module.
        programs: Vec<String>,
    },
    /// A module of which no part of the path can be fetched.
    #[error("{module}: it cannot be fetched: {why}")]
    NotFetched {
        /// The module as it was given.
        module: String,
        /// Go's reason.
        why: String,
    },
    /// A pattern that stands for several packages.
    #[error("{pattern}: it stands for {} packages, and kwasm builds one", packages.len())]
    Several {
        /// The pattern.
        pattern: String,
        /// The packages.
        packages: Vec<String>,
    },
    /// A file that cannot be read.
    #[error("{}: it cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A release of Go whose standard library is not known.
    #[error("{version}: kwasm cannot build with this release of Go, only with {}", listed())]
    Unknown {
        /// Go's version.
        version: String,
        /// Whether it can fetch other releases by itself.
        switches: bool,
    },
    /// A module path without a version.
    #[error("{0}: it is not MODULE/PATH@VERSION")]
    Unversioned(String),
}

impl Fault {
    /// Returns whether the command line is wrong, rather than the project or the machine.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Flag { .. } | Self::Library { .. } | Self::Several { .. } | Self::Unversioned(_))
    }
}

impl Explain for Fault {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Flag { flag, .. } => format!("go env GOFLAGS shows them; GOFLAGS= kwasm build … leaves out {flag} and all others"),
            Self::Foreign { .. } => {
                "use Go as its project publishes it, unchanged: https://go.dev/dl/".to_owned()
            }
            Self::Library { programs, .. } if programs.is_empty() => {
                "a plugin is a program: package main, with a function main".to_owned()
            }
            Self::Library { programs, .. } => {
                format!("name one of the programs in its module: {}", programs.join(", "))
            }
            Self::Several { packages, .. } => format!("name one of them: {}", packages.join(", ")),
            Self::NotFetched { .. } => {
                "check the path and the version: https://pkg.go.dev lists both; go env GOPROXY shows where Go fetches from".to_owned()
            }
            Self::Unknown { switches: true, .. } => {
                format!("GOTOOLCHAIN={RECENT} kwasm build … lets Go fetch and use that release")
            }
            Self::Unknown { switches: false, .. } => format!("install Go {} or newer: https://go.dev/dl/", RELEASES[0]),
            Self::Unversioned(module) => format!("kwasm build {}@latest", module.trim_end_matches('@')),
            Self::Embedded { .. } | Self::Unreadable { .. } => return None,
        })
    }
}

/// Returns the known releases as a list in words.
fn listed() -> String {
    let [first @ .., last] = RELEASES;
    format!("{} and {last}", first.join(", "))
}
