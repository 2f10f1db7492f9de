//! The reasons for which no bytes came, or none were taken.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::connection::Obstacle;
use super::media_types;
use crate::reference::Digest;

/// The reason why fetching or pushing failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The content does not match its manifest.
    #[error("{reference}: the content is not what its manifest names: {is} instead of {named}")]
    Altered {
        /// The artifact.
        reference: String,
        /// The digest in the manifest.
        named: Digest,
        /// The digest of the content.
        is: Digest,
    },
    /// The registry's response cannot be used.
    #[error("{host}: {what}")]
    Answer {
        /// The registry.
        host: String,
        /// The description of the response.
        what: String,
    },
    /// The registry responded with an unexpected status.
    #[error("{host}: it answers {path}: {status}{said}")]
    Status {
        /// The registry.
        host: String,
        /// The requested path.
        path: String,
        /// The status.
        status: http::StatusCode,
        /// The message of the response, after a colon.
        said: String,
    },
    /// The credentials for a registry cannot be read.
    #[error("{}: the login for {server} cannot be read: {what}", path.display())]
    Credentials {
        /// The file that should contain them.
        path: PathBuf,
        /// The registry.
        server: String,
        /// The reason.
        what: String,
        /// The credential helper that should return them.
        helper: Option<Box<str>>,
    },
    /// The connection broke repeatedly.
    #[error("{reference}: after {received} of {size} bytes the transfer could not continue: {what}")]
    CutOff {
        /// The artifact.
        reference: String,
        /// The number of bytes that arrived.
        received: u64,
        /// The total number of bytes.
        size: u64,
        /// The last failure.
        what: String,
    },
    /// The registry denies access.
    #[error("{repository}: the registry refuses: {what}")]
    Denied {
        /// Registry and repository.
        repository: String,
        /// The user, and the registry's own message.
        what: String,
        /// The host to log in to.
        login: String,
        /// The reason why a login could not be read, if there may be one.
        unknown: Option<Arc<Error>>,
    },
    /// The artifact does not exist.
    #[error("{0}: the registry has no such artifact")]
    NotFound(String),
    /// The name is not a valid host.
    #[error("{host}: {what}")]
    Host {
        /// The name.
        host: String,
        /// The reason.
        what: String,
    },
    /// The content's length differs from its manifest.
    #[error("{reference}: its manifest names {named} bytes, and the registry has {found}")]
    Length {
        /// The artifact.
        reference: String,
        /// The length in the manifest.
        named: u64,
        /// The length of the content, or more.
        found: u64,
    },
    /// The artifact's only layer does not have the type of WebAssembly.
    #[error("{reference}: its layer is {media_type}, and not {}", media_types::LAYER)]
    Layer {
        /// The artifact.
        reference: String,
        /// The type of its layer, as its publisher states.
        media_type: String,
    },
    /// The manifest is not a plugin's.
    #[error("{reference}: {what}")]
    Manifest {
        /// The artifact.
        reference: String,
        /// The kind of artifact that it describes.
        what: String,
    },
    /// The file does not exist.
    #[error("{0}: there is no such file")]
    Missing(PathBuf),
    /// The artifact has no image of which its component could be mounted.
    #[error(
        "{0}: it has no image for volumes, and of a component's own artifact a kubelet mounts an empty folder"
    )]
    NoVolume(String),
    /// No registry is configured for a namespace.
    #[error("no registry is known for packages of `{namespace}`")]
    NoRegistry {
        /// The namespace.
        namespace: String,
    },
    /// The package does not have such a version.
    #[error("{package}: it has no such version")]
    NoVersion {
        /// The package and the requested version.
        package: String,
        /// Some of the existing versions, newest first.
        known: Vec<String>,
    },
    /// The tag is for artifacts that refer to another, such as signatures, and not for that artifact itself.
    #[error(
        "{reference}: such a tag is reserved for what refers to {subject}, e.g. its signatures, and not for a plugin"
    )]
    Referrers {
        /// Registry, repository and tag.
        reference: String,
        /// The artifact that is referred to.
        subject: Digest,
        /// The artifact that was probably meant.
        artifact: String,
    },
    /// The registry did not accept what was pushed.
    #[error("{reference}: it cannot be published: {what}")]
    Push {
        /// The artifact.
        reference: String,
        /// The reason.
        what: String,
    },
    /// The version exists already, with other content.
    #[error("{0}: this version is published already, with other content")]
    Published(String),
    /// The configuration of package registries cannot be used.
    #[error("the configuration of package registries: {what}")]
    Settings {
        /// The reason.
        what: String,
    },
    /// The system lacks a resource that accessing a registry requires.
    #[error("cannot set up requests to registries")]
    System(#[source] io::Error),
    /// The file or artifact is too large to be a plugin.
    #[error("{what}: it has {size} bytes, and a plugin may have {LIMIT} at most")]
    TooLarge {
        /// The file or the artifact.
        what: String,
        /// The size in bytes.
        size: u64,
    },
    /// The registry, or another host that it requires, cannot be reached.
    #[error("{host}: it cannot be reached{what}")]
    Unreachable {
        /// The host.
        host: String,
        /// The registry by whose configuration the host is reached.
        registry: String,
        /// The proxy, if one is used, and after a colon the reason.
        what: String,
        /// The part of the reason that has a known remedy.
        obstacle: Obstacle,
    },
    /// An image beside the artifact does not have exactly its component.
    #[error("{reference}: its image for {platform} is another than the component's: {what}")]
    Volume {
        /// The artifact.
        reference: String,
        /// The platform of nodes that would mount it.
        platform: String,
        /// What it has instead.
        what: String,
    },
    /// A login page or a proxy responds instead of the registry.
    #[error(
        "{host}: it answers with a web page: it is not a registry, or something in between answers for it"
    )]
    WebPage {
        /// The registry.
        host: String,
    },
    /// The file exists but cannot be read.
    #[error("{path}: it cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// The largest component, in bytes: 256 MiB, over ten times a Python interpreter.
pub const LIMIT: u64 = 256 << 20;

impl Error {
    /// Returns whether the error is that a file of this machine may not be read.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}
