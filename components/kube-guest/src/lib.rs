//! The cluster, for a kubectl plugin that runs inside kwasm: no async runtime, no credentials.
//!
//! kwasm gives a plugin a kubeconfig without secrets, whose server is the host itself: it judges each request
//! by the plugin's policy and adds the credentials on its own side. So a request is one call:
//!
//! ```no_run
//! # fn main() -> Result<(), kube_guest::Error> {
//! use kube_guest::{Cluster, Path};
//!
//! let cluster = Cluster::from_env()?;
//! let pods = Path::new(["api", "v1", "namespaces", cluster.namespace(), "pods"])?.query("limit", "500");
//! let list: serde_json::Value = cluster.get_json(&pods)?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Response::lines`] reads a watch, [`Cluster::upload`] sends a body of any size; neither keeps more than a
//! chunk in memory.

mod cluster;
mod discovery;
mod ending;
mod error;
mod escape;
// The template of a Rust plugin has it too, and does not depend on this library.
#[path = "../../templates/rust/src/flags.rs"]
mod flags;
mod host;
mod kubeconfig;
mod lines;
mod outgoing;
mod pages;
mod path;
mod pending;
mod pool;
mod resources;
mod response;
mod timestamp;
mod transport;
mod upload;

pub use cluster::Cluster;
pub use discovery::Discovery;
pub use ending::{exit, finish};
pub use error::{Error, Status};
pub use escape::{for_terminal, for_terminal_line};
pub use flags::without_connection_flags;
pub use host::Host;
pub use lines::LineBuffer;
pub use pages::{List, Lists, METADATA, Page};
pub use path::{BadPath, Path};
pub use pending::{Pending, Ready, wait, wait_among};
pub use pool::Pool;
pub use resources::{Resource, Unknown};
pub use response::{CHUNK, Lines, Piece, Response};
pub use timestamp::Timestamp;
pub use transport::Transport;
pub use upload::Upload;
