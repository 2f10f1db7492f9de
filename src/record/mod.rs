//! The API traffic of a run, in a file: recorded in one run, and replayed in others without a cluster.
//!
//! The file is JSON lines (<https://jsonlines.org>): a line for each request, answer and part of an answer, in the
//! order in which they passed the gate. That order is part of the record: a replay gives a guest nothing before the
//! guest has made the requests, and received the answers, that came before it. JSON is in it as JSON, other text as
//! text, the rest in base64, so that it can be read, compared and edited.
//!
//! Values of secrets and tokens are left out unless the user wants them. Whatever might contain one and is not
//! understood is left out whole. Credentials of kwasm's own never reach this room: it sees a request before they are
//! added, and an answer after headers with credentials were removed.

mod clock;
mod content;
mod error;
mod key;
mod line;
mod playback;
mod protobuf;
mod reader;
mod recorder;
mod redact;
mod sensitivity;
mod tree;

pub use self::clock::Clock;
pub use self::content::Content;
pub use self::error::Error;
pub use self::line::{Cut, Header, ShownContext};
pub use self::playback::{Missing, Playback, Replayed, Sending};
pub use self::reader::{Event, Record};
pub use self::recorder::{Exchange, Recorder};

/// The largest size of a record in bytes.
const LARGEST: usize = 64 << 20;

/// The largest size in bytes of a request's body in a record. Objects that plugins change are smaller, and longer
/// bodies are streams.
pub const LARGEST_BODY: usize = 1 << 20;

/// The version of the format.
const VERSION: u32 = 1;

#[cfg(test)]
mod tests;
