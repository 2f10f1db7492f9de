//! Says exactly which plugin is meant: a name, a source, a digest.

mod digest;
mod image;
mod name;
mod package;
mod source;

pub use self::digest::{Digest, DigestError, Hasher};
pub use self::image::{Image, ImageError};
pub use self::name::{NameError, PluginName};
pub use self::package::{Package, PackageError, Wanted};
pub use self::source::{Source, SourceError};
