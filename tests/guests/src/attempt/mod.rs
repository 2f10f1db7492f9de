//! What the hostile guests share: one request exactly as it is written, its answer, and the verdict.
//!
//! A hostile guest attempts one thing. If it gets it, it prints `done: WHAT IT GOT` and ends with 0; if not, it prints
//! `failed: WHY` to standard error and ends with 1. An answer that kwasm made is a failure, an answer of the server
//! means that the request left the sandbox.
//!
//! ```no_run
//! use guests::attempt::{self, Arguments, Request};
//!
//! let [path] = Arguments::of("reads-secrets [PATH]").values(["/api/v1/namespaces/shop/secrets/db"]);
//! attempt::tell(Request::get(&path).reach())
//! ```
//!
//! [`Request`] goes through wasi:http, which has an opinion on what a request is; [`Socket`] sends any bytes.

mod answer;
mod arguments;
mod reply;
mod request;
pub mod socket;
mod verdict;

pub use answer::Answer;
pub use arguments::Arguments;
pub use reply::Reply;
pub use request::{CLUSTER, Request, Sent, header_line, import_http};
pub use socket::Socket;
pub use verdict::{tell, tell_each};
