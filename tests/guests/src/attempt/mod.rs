//! The library of the hostile guests: a request sent exactly as written, its answer, and the verdict.
//!
//! A hostile guest makes one attempt. If it succeeds, it prints `done: WHAT IT GOT` and exits with 0; if not,
//! it prints `failed: WHY` to standard error and exits with 1. An answer from kwasm is a failure, an answer
//! from the server means that the request left the sandbox.
//!
//! ```no_run
//! use guests::attempt::{self, Arguments, Request};
//!
//! let [path] = Arguments::of("reads-secrets [PATH]").values(["/api/v1/namespaces/shop/secrets/db"]);
//! attempt::tell(Request::get(&path).reach())
//! ```
//!
//! [`Request`] goes through wasi:http, which validates requests; [`Socket`] sends any bytes.

mod answer;
mod arguments;
mod file;
mod reply;
mod request;
pub mod socket;
mod verdict;

pub use answer::Answer;
pub use arguments::Arguments;
pub use file::read_file;
pub use reply::Reply;
pub use request::{CLUSTER, Request, Sent, header_line, import_http};
pub use socket::Socket;
pub use verdict::{tell, tell_each};
