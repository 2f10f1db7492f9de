//! The server as its clients see it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests are tests: they fail by panicking, and connect past any gate"
)]

mod authentication;
mod binary;
mod client;
mod faults;
mod objects;
mod uploads;
mod watches;
