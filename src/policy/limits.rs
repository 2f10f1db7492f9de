//! How much of this machine, and of the API server, one run may take.

use std::fmt;
use std::time::Duration;

use super::quantity::{Bytes, Quantity};
use crate::message::{Explain, Message};

/// The limits of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of all linear memories together.
    pub memory: u64,
    /// Wall-clock time; `None` without end.
    pub timeout: Option<Duration>,
    /// Requests in flight: from their judgement to the end of their answer's body.
    pub requests: u32,
    /// Sockets that are open at a time.
    pub sockets: u32,
    /// Bytes of the headers of one request or response, names and values, each with what it takes to keep it (in
    /// wasmtime-wasi-http 48 32 bytes for a name and 40 for a value).
    pub headers: u64,
    /// Bytes of the stack of its calls.
    pub stack: u64,
}

/// The most headers of one request or response, as hyper's own for a response.
pub const HEADERS: usize = 100;

/// The stack of a guest whose policy does not set one. At wasmtime's own 512 KiB, Go traps in JSON of 9,000 levels and `CPython`
/// where it would have raised `RecursionError`; from 1.5 MiB on neither does. What is not used of it costs addresses alone.
const STACK: u64 = 2 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 512 << 20, timeout: None, requests: 64, sockets: 64, headers: 128 << 10, stack: STACK }
    }
}

/// A limit that a guest ran into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// More addresses than the system gives a process, whatever memory is behind them.
    Addresses,
    /// More handles at a time; the number that it may have.
    Handles(usize),
    /// More headers than one message may have.
    HeaderCount,
    /// Larger headers than one message may have; the number of bytes that it may have.
    Headers(u64),
    /// More bytes in one call of the host than it takes.
    HostCall,
    /// More instances or memories than a component may be made of.
    Instances,
    /// More memory; the number of bytes that it may have.
    Memory(u64),
    /// More random bytes in one call than it gives.
    Random,
    /// More requests at a time; the number that it may have.
    Requests(u32),
    /// More sockets at a time; the number that it may have.
    Sockets(u32),
    /// Deeper calls than its stack has room for; the number of bytes that it has.
    Stack(u64),
    /// More or larger tables than it may have.
    Tables,
    /// More time.
    Timeout(Duration),
}

impl std::error::Error for Limit {}

impl Explain for Limit {
    /// Returns how to raise it, where a policy can.
    fn hint(&self) -> Option<String> {
        let line = match self {
            Self::Headers(limit) => format!("headers: {}", Quantity(limit.saturating_mul(2))),
            Self::Memory(limit) => format!("memory: {}", Quantity(limit.saturating_mul(2))),
            Self::Requests(limit) => format!("requests: {}", limit.saturating_mul(2)),
            Self::Sockets(limit) => format!("sockets: {}", limit.saturating_mul(2)),
            Self::Stack(limit) => format!("stack: {}", Quantity(limit.saturating_mul(2))),
            Self::Timeout(limit) => format!("timeout: {}s", limit.as_secs().max(1).saturating_mul(2)),
            Self::Addresses => return Some("ulimit -v unlimited, or at least 16000000".to_owned()),
            Self::Handles(_)
            | Self::HeaderCount
            | Self::HostCall
            | Self::Instances
            | Self::Random
            | Self::Tables => return None,
        };
        Some(format!("a policy with `limits: {{{line}}}` raises it: --policy FILE"))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addresses => f.write_str("the system gives it no address space for its memory"),
            Self::Handles(limit) => write!(f, "it needed more than {limit} handles at a time"),
            Self::HeaderCount => write!(f, "one of its messages had more than {HEADERS} headers"),
            Self::Headers(limit) => {
                write!(f, "one of its messages had more than {} of headers", Bytes(*limit))
            }
            Self::HostCall => f.write_str("it passed more than 16 MiB to the host in one call"),
            Self::Instances => f.write_str("it is made of more instances or memories than a plugin may have"),
            Self::Memory(limit) => write!(f, "it needed more than {} of memory", Bytes(*limit)),
            Self::Random => f.write_str("it requested more than 1 MiB of random bytes in one call"),
            Self::Requests(limit) => write!(f, "it needed more than {limit} requests in flight at a time"),
            Self::Sockets(limit) => write!(f, "it needed more than {limit} sockets at a time"),
            Self::Stack(limit) => {
                write!(f, "its calls are nested deeper than the {} of stack that it has", Bytes(*limit))
            }
            Self::Tables => f.write_str("it needed more or larger tables than a plugin may have"),
            Self::Timeout(limit) => write!(f, "it ran for longer than {limit:?}"),
        }
    }
}

impl Limit {
    /// Returns what the user reads of it: of the plugin that ran into it.
    #[must_use]
    pub fn report(&self) -> Message {
        self.message().about("the plugin ran into a limit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_reported_with_what_raises_it() {
        let message = Limit::Memory(512 << 20).report();
        assert_eq!(message.text, "the plugin ran into a limit: it needed more than 512 MiB of memory");
        let hint = "a policy with `limits: {memory: 1Gi}` raises it: --policy FILE";
        assert_eq!(message.hint.as_deref(), Some(hint));
    }
}
