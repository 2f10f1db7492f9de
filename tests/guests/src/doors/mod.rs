//! The library of the benchmark guests: an answer read through either door, and the two protocols to which a
//! connection is upgraded. On the sockets' side all of it is written by hand, so that the door is measured
//! and not a library.
//!
//! ```no_run
//! use guests::doors::{Answer, Door};
//!
//! # fn main() -> Result<(), String> {
//! let mut answer = Answer::get(Door::Sockets, "/api/v1/pods?watch=1")?;
//! while let Some(piece) = answer.piece()? {
//!     println!("{} bytes", piece.len());
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod body;
mod connection;
mod message;
mod spdy;
mod websocket;

pub use answer::{Answer, Door};
pub use message::Message;
pub use spdy::Spdy;
pub use websocket::WebSocket;
