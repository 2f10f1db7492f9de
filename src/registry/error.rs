//! The reasons for which no bytes came, or none were taken.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::connection::Obstacle;
use super::media_types;
use crate::reference::Digest;

/// Why no bytes came.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The content is other than its manifest says.
    #[error("{reference}: the content is not what its manifest names: {is} instead of {named}")]
    Altered {
        /// The artifact.
        reference: String,
        /// What was to come.
        named: Digest,
        /// What came.
        is: Digest,
    },
    /// The registry answers in a way that helps nobody.
    #[error("{host}: {what}")]
    Answer {
        /// The registry.
        host: String,
        /// How.
        what: String,
    },
    /// The registry answers with a status that helps nobody.
    #[error("{host}: it answers {path}: {status}{said}")]
    Status {
        /// The registry.
        host: String,
        /// What was asked for.
        path: String,
        /// The answer.
        status: http::StatusCode,
        /// What it says beside it, after a colon.
        said: String,
    },
    /// The credentials for a registry cannot be had.
    #[error("{}: the login for {server} cannot be read: {what}", path.display())]
    Credentials {
        /// The file that should have them.
        path: PathBuf,
        /// The registry.
        server: String,
        /// Why not.
        what: String,
        /// The program that was to be asked for them.
        helper: Option<Box<str>>,
    },
    /// The connection broke again and again.
    #[error("{reference}: after {received} of {size} bytes the transfer could not continue: {what}")]
    CutOff {
        /// The artifact.
        reference: String,
        /// The bytes that came.
        received: u64,
        /// All there are.
        size: u64,
        /// How it broke last.
        what: String,
    },
    /// The registry gives it to others only.
    #[error("{repository}: the registry refuses: {what}")]
    Denied {
        /// Registry and repository.
        repository: String,
        /// As whom it was asked, and its own words.
        what: String,
        /// The host to log in at.
        login: String,
        /// What kept a login from being known, where one may be there.
        unknown: Option<Arc<Error>>,
    },
    /// There is no such artifact.
    #[error("{0}: the registry has no such artifact")]
    NotFound(String),
    /// No host can be called so.
    #[error("{host}: {what}")]
    Host {
        /// The name.
        host: String,
        /// Why not.
        what: String,
    },
    /// The content is longer or shorter than its manifest says.
    #[error("{reference}: its manifest names {named} bytes, and the registry has {found}")]
    Length {
        /// The artifact.
        reference: String,
        /// As many were to come.
        named: u64,
        /// As many came, at least.
        found: u64,
    },
    /// The artifact's one layer is of a type that says nothing of WebAssembly.
    #[error("{reference}: its layer is {media_type}, and not {}", media_types::LAYER)]
    Layer {
        /// The artifact.
        reference: String,
        /// What its layer is, as whoever pushed it says.
        media_type: String,
    },
    /// The manifest is not one of a plugin.
    #[error("{reference}: {what}")]
    Manifest {
        /// The artifact.
        reference: String,
        /// What it is.
        what: String,
    },
    /// There is no such file.
    #[error("{0}: there is no such file")]
    Missing(PathBuf),
    /// Nobody says where a namespace is.
    #[error("no registry is known for packages of `{namespace}`")]
    NoRegistry {
        /// The namespace.
        namespace: String,
    },
    /// A package has no such version.
    #[error("{package}: it has no such version")]
    NoVersion {
        /// The package and the version that was wanted.
        package: String,
        /// Some that it has, the newest first.
        known: Vec<String>,
    },
    /// The tag is for what refers to an artifact, not for that artifact.
    #[error(
        "{reference}: such a tag is reserved for what refers to {subject}, e.g. its signatures, and not for a plugin"
    )]
    Referrers {
        /// Registry, repository and tag.
        reference: String,
        /// To what.
        subject: Digest,
        /// What was meant.
        artifact: String,
    },
    /// The registry did not take what was pushed.
    #[error("{reference}: it cannot be published: {what}")]
    Push {
        /// The artifact.
        reference: String,
        /// Why not.
        what: String,
    },
    /// A version that is there already, with other content.
    #[error("{0}: this version is published already, with other content")]
    Published(String),
    /// The configuration of package registries cannot be used.
    #[error("the configuration of package registries: {what}")]
    Settings {
        /// Why not.
        what: String,
    },
    /// The system does not give what it takes to ask a registry.
    #[error("cannot set up requests to registries")]
    System(#[source] io::Error),
    /// It is too large to be a plugin.
    #[error("{what}: it has {size} bytes, and a plugin may have {LIMIT} at most")]
    TooLarge {
        /// The file or the artifact.
        what: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The registry cannot be reached, or another host that it needs.
    #[error("{host}: it cannot be reached{what}")]
    Unreachable {
        /// The host.
        host: String,
        /// The registry by whose configuration the host is reached.
        registry: String,
        /// Through which proxy, if one was to lead there, and behind a colon why not.
        what: String,
        /// What of that is known to have a cure.
        obstacle: Obstacle,
    },
    /// A login page or a proxy answers in place of the registry.
    #[error(
        "{host}: it answers with a web page: it is not a registry, or something in between answers for it"
    )]
    WebPage {
        /// The registry.
        host: String,
    },
    /// The file is there and cannot be read.
    #[error("{path}: it cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// The most bytes that a component may have: 256 MiB, over ten times a Python interpreter.
pub const LIMIT: u64 = 256 << 20;

impl Error {
    /// Whether it is that a file of this machine may not be read.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}
