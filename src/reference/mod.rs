//! Says exactly which plugin is meant: a name, a source, a digest.

mod digest;
mod host;
mod image;
mod listed;
mod name;
mod object;
mod package;
mod percent;
mod source;
mod tag;

pub use self::digest::{Digest, DigestError, Hasher};
pub use self::host::{DOCKER_HUB, HostError, RegistryHost};
pub(crate) use self::image::is_repository;
pub use self::image::{Image, ImageError};
pub use self::listed::{IndexName, IndexSource, Listed, ListedError};
pub use self::name::{NameError, PluginName};
pub use self::object::{ObjectKind, ObjectSource};
pub(crate) use self::package::is_label;
pub use self::package::{Package, PackageError, Wanted};
pub(crate) use self::percent::decode;
pub use self::source::{Source, SourceError};
pub use self::tag::{subject_of, tag_of, version_of};
