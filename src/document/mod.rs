//! Reads kwasm's own YAML strictly: whatever is not understood is a fault with file, line, key and what helps. All faults of
//! a document are reported at once.
//!
//! Not by serde's derived readers, whose errors name neither key nor cure, and only the first of several.

mod fault;
mod node;
mod reader;

pub use self::fault::Fault;
pub(crate) use self::fault::{Faults, Format, Place};
pub(crate) use self::node::{Node, Shape};
pub(crate) use self::reader::Entries;
