//! Indexes of plugins: made of descriptions, kept for searching without a network, searched, and asked which
//! artifact a name means.
//!
//! ```text
//! descriptions (YAML) ─► described ─► Index ─► publish, or a file
//! Index ─► Kept::new: head, what is searched, the index ─► Store::keep_index ─► Catalogue ─► search
//!                                                                               └► Catalogue::find ─► Offer
//! ```

mod description;
mod error;
mod find;
mod index;
mod kept;
mod listing;
mod search;

pub use self::description::described;
pub use self::error::Error;
pub use self::find::{Catalogue, Offer};
pub use self::index::Index;
pub use self::kept::{Head, Kept, Summary};
pub use self::listing::{Listing, Place, Release};
pub use self::search::{Match, nearest, search};
