//! Fetches the bytes of a component and proves their digest: from files, OCI registries and package registries.
//!
//! ```text
//! Source ─► Registries::find ─► Found (a manifest, proven) ─► Registries::fetch ─► Artifact (bytes, proven)
//!            packages, tags                                    transfer
//!                              ├► Registries::signatures ─► Evidence ─► trust
//!                              └► Registries::volume ─► an image with the same bytes, proven
//! ```

mod artifact;
mod connection;
mod credentials;
mod error;
mod hint;
mod host;
mod manifest;
mod manifest_list;
mod media_types;
mod packages;
mod publish;
mod push;
mod referrers;
mod server;
mod settings;
pub mod signature;
mod spelling;
mod tags;
mod token;
mod transfer;
pub mod trust;
mod versions;
mod volume;
mod watcher;

pub use self::artifact::Artifact;
pub use self::connection::Obstacle;
pub use self::credentials::logins;
pub use self::error::{Error, LIMIT};
pub use self::manifest::{Descriptor, LONGEST_INDEX, Manifest, REQUEST};
pub use self::publish::{Interface, Published, Release, Terms};
pub use self::referrers::Signature;
pub use self::versions::{Found, Registries};
pub use self::volume::VOLUME_FILE;
pub use self::watcher::{Step, Watcher};
