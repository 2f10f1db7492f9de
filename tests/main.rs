//! The tests that run the program: one binary, one module a promise.
//!
//! `cargo xtask test` builds what they need (guests, the real control plane) and says what could not be run.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and speaks to whoever runs it, and is told by its environment what was built"
)]

mod archives;
mod bounds;
#[cfg(unix)]
mod carried;
#[cfg(unix)]
mod compiled;
#[cfg(unix)]
mod conformance;
mod contexts;
mod counterparts;
mod credentials;
mod decoder;
#[cfg(unix)]
mod doctor;
mod doors;
mod elsewhere;
mod endings;
mod errors;
mod formats;
mod fuzzed;
mod granted;
mod halves;
mod hostile;
mod hosts;
mod inspect;
mod judge;
#[cfg(unix)]
mod killed;
mod kubectl;
mod leaks;
mod life;
mod manual;
mod modules;
#[cfg(unix)]
mod outputs;
mod papers;
mod policies;
mod prefix;
#[cfg(unix)]
mod printed;
mod proxies;
mod registries;

mod reused;

#[cfg(unix)]
mod refusals;
#[cfg(unix)]
mod shared;
#[cfg(target_os = "linux")]
mod sockets;
#[cfg(unix)]
mod stdio;
mod streams;
mod support;
#[cfg(unix)]
mod surroundings;
mod timeline;
mod tls;
mod traces;
mod tunnels;
mod watches;
