//! Reads kwasm's own YAML strictly: everything that is not understood is a fault with file, line, key and a
//! hint. All faults of a document are reported together.
//!
//! serde's derived readers are not used, since their errors contain neither the key nor a hint, and only the
//! first of several.

mod fault;
mod node;
mod reader;

pub use self::fault::Fault;
pub(crate) use self::fault::{Faults, Format, Place};
pub(crate) use self::node::{Node, Shape};
pub(crate) use self::reader::{API_VERSION, Entries, distance};
