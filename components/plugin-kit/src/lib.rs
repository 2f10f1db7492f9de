//! What the kubectl plugins of this project have in common, so that they feel like one: flags, help, completion, tables,
//! JSON and YAML, messages and exit codes.
//!
//! ```no_run
//! use plugin_kit::{ALL_NAMESPACES, Arguments, Command, Failure, Flag, NAMESPACE, Scope};
//!
//! static RAW: Flag = Flag::switch("raw", None, "prints what the server says");
//!
//! static COMMAND: Command = Command {
//!     name: "count",
//!     version: env!("CARGO_PKG_VERSION"),
//!     about: "Counts the pods of a namespace.",
//!     usage: &["[-n NAMESPACE | -A]"],
//!     flags: &[&NAMESPACE, &ALL_NAMESPACES, &RAW],
//!     notes: "",
//!     complete: None,
//! };
//!
//! fn main() {
//!     plugin_kit::main(&COMMAND, run)
//! }
//!
//! fn run(arguments: &Arguments) -> Result<(), Failure> {
//!     let cluster = kube_guest::Cluster::from_env()?;
//!     let scope = Scope::of(arguments, &cluster);
//!     Err(Failure::message(format!("{:?}: counting is left to the reader", scope.namespace())))
//! }
//! ```
//!
//! The exit code is 0, 1 for a failure, or 2 for a mistake on the command line. Messages are lower case, `what: why`.

mod arguments;
mod command;
mod complete;
mod config_map;
mod failure;
mod flag;
mod help;
mod image;
mod missing;
mod object;
mod output;
mod quantity;
pub mod rbac;
pub mod requests;
mod scope;
mod shard;
mod style;
mod suggestion;
mod table;
mod wrap;

pub use arguments::Arguments;
pub use command::{Command, Completing, main};
pub use complete::{kinds, names};
pub use config_map::{config_map, settings};
pub use failure::{Explain, Failure};
pub use flag::{Flag, Value};
pub use image::{Image, Pattern};
pub use missing::Missing;
pub use object::{Metadata, Object, Owner};
pub use output::{NO_HEADERS, OUTPUT, Output, json, yaml};
pub use quantity::Quantity;
pub use scope::{ALL_NAMESPACES, NAMESPACE, SELECTOR, Scope};
pub use shard::Shard;
pub use style::{Colour, Style};
pub use suggestion::nearest;
pub use table::{Cell, Table};
pub use wrap::wrap;
