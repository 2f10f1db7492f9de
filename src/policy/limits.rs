//! The limits of one run on this machine's and the API server's resources.

use std::fmt;
use std::time::Duration;

use super::format::{self, Range};
use super::quantity::{Bytes, Quantity};
use crate::defence::Defence;
use crate::message::{Explain, Message};

/// The limits of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The total size of all linear memories in bytes.
    pub memory: u64,
    /// The wall-clock time; `None` for no limit.
    pub timeout: Option<Duration>,
    /// The number of requests in flight: from their judgement to the end of the response's body.
    pub requests: u32,
    /// The number of sockets open at the same time.
    pub sockets: u32,
    /// The size of the headers of one request or response in bytes: names and values, and the memory that it
    /// takes to keep each (in wasmtime-wasi-http 48, 32 bytes for a name and 40 for a value).
    pub headers: u64,
    /// The size of the call stack in bytes.
    pub stack: u64,
    /// The number of requests that an instance of a server answers, one after another. What one of them leaves behind, the
    /// next one finds.
    pub reuse: u32,
}

/// The largest number of headers of a request or response, the same as hyper's own limit for a response.
pub const HEADERS: usize = 100;

/// The stack size if a policy does not set one. With wasmtime's own 512 KiB, Go traps in JSON of 9,000
/// levels, and `CPython` where it would have raised `RecursionError`; from 1.5 MiB on neither does. The
/// unused part only costs address space.
const STACK: u64 = 2 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            timeout: None,
            requests: 64,
            sockets: 64,
            headers: 128 << 10,
            stack: STACK,
            reuse: 1,
        }
    }
}

/// The limits that a policy states, each `None` if it does not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StatedLimits {
    /// [`Limits::memory`].
    pub memory: Option<u64>,
    /// [`Limits::timeout`]; `Some(None)` states that there is none.
    pub timeout: Option<Option<Duration>>,
    /// [`Limits::requests`].
    pub requests: Option<u32>,
    /// [`Limits::sockets`].
    pub sockets: Option<u32>,
    /// [`Limits::headers`].
    pub headers: Option<u64>,
    /// [`Limits::stack`].
    pub stack: Option<u64>,
    /// [`Limits::reuse`].
    pub reuse: Option<u32>,
}

impl StatedLimits {
    /// Returns the limits of a run under a grant with these limits, and under other policies too.
    ///
    /// What the grant does not state has its default, so that no plugin raises a limit by requesting it. What
    /// another policy does not state is not narrowed by it.
    pub(super) fn within<'a>(self, others: impl Iterator<Item = &'a Self>) -> Limits {
        let default = Limits::default();
        let mut limits = Limits {
            memory: self.memory.unwrap_or(default.memory),
            timeout: self.timeout.unwrap_or(default.timeout),
            requests: self.requests.unwrap_or(default.requests),
            sockets: self.sockets.unwrap_or(default.sockets),
            headers: self.headers.unwrap_or(default.headers),
            stack: self.stack.unwrap_or(default.stack),
            reuse: self.reuse.unwrap_or(default.reuse),
        };
        for other in others {
            limits.memory = least(limits.memory, other.memory);
            limits.requests = least(limits.requests, other.requests);
            limits.sockets = least(limits.sockets, other.sockets);
            limits.headers = least(limits.headers, other.headers);
            limits.stack = least(limits.stack, other.stack);
            limits.reuse = least(limits.reuse, other.reuse);
            limits.timeout = match (limits.timeout, other.timeout.flatten()) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        limits
    }
}

impl StatedLimits {
    /// Returns the limits of a run that nothing else limits.
    pub(super) fn alone(self) -> Limits {
        self.within(std::iter::empty())
    }
}

impl Limits {
    /// Returns whether one of them is higher than that of `other`.
    pub(super) fn exceeds(&self, other: &Self) -> bool {
        let timeout = match (self.timeout, other.timeout) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(one), Some(other)) => one > other,
        };
        timeout
            || self.memory > other.memory
            || self.requests > other.requests
            || self.sockets > other.sockets
            || self.headers > other.headers
            || self.stack > other.stack
            || self.reuse > other.reuse
    }
}

fn least<T: Ord>(limit: T, stated: Option<T>) -> T {
    match stated {
        Some(stated) if Defence::RequestedLimits.stands() => limit.min(stated),
        _ => limit,
    }
}

/// Formats the limits as in a policy, on one line; nothing if none is stated.
impl fmt::Display for StatedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |bytes: Option<u64>| bytes.map(|bytes| Quantity(bytes).to_string());
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let timeout = self.timeout.map(|timeout| match timeout {
            Some(timeout) => format!("{}s", timeout.as_secs()),
            None => "none".to_owned(),
        });
        let stated = [
            ("memory", bytes(self.memory)),
            ("timeout", timeout),
            ("requests", number(self.requests)),
            ("sockets", number(self.sockets)),
            ("headers", bytes(self.headers)),
            ("stack", bytes(self.stack)),
            ("reuse", number(self.reuse)),
        ];
        let stated: Vec<String> =
            stated.into_iter().filter_map(|(key, value)| Some(format!("{key}: {}", value?))).collect();
        if stated.is_empty() { Ok(()) } else { write!(f, "{{{}}}", stated.join(", ")) }
    }
}

/// A limit that a guest exceeded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// The address space that the system gives a process, regardless of memory.
    Addresses,
    /// The number of handles.
    Handles(usize),
    /// The number of headers in one message.
    HeaderCount,
    /// The size of the headers in one message, in bytes.
    Headers(u64),
    /// The number of bytes in one call of the host.
    HostCall,
    /// The number of instances or memories in a component.
    Instances,
    /// The memory in bytes.
    Memory(u64),
    /// The number of random bytes in one call.
    Random,
    /// The number of requests in flight.
    Requests(u32),
    /// The number of open sockets.
    Sockets(u32),
    /// The size of the call stack in bytes.
    Stack(u64),
    /// The number or size of tables.
    Tables,
    /// The number of asynchronous tasks and calls, and of ends of streams and futures.
    Tasks(usize),
    /// The time of the run.
    Timeout(Duration),
}

impl std::error::Error for Limit {}

impl Explain for Limit {
    /// Returns how to raise it, where a policy can and it is not the highest already.
    fn hint(&self) -> Option<String> {
        let bytes = |limit, range| Some(Quantity(raised(limit, range)?));
        let number = |limit: u32| raised(limit.into(), format::AT_A_TIME);
        let line = match self {
            Self::Headers(limit) => format!("headers: {}", bytes(*limit, format::HEADERS)?),
            Self::Memory(limit) => format!("memory: {}", bytes(*limit, format::MEMORY)?),
            Self::Requests(limit) => format!("requests: {}", number(*limit)?),
            Self::Sockets(limit) => format!("sockets: {}", number(*limit)?),
            Self::Stack(limit) => format!("stack: {}", bytes(*limit, format::STACK)?),
            Self::Timeout(limit) => format!("timeout: {}s", limit.as_secs().max(1).saturating_mul(2)),
            Self::Addresses => return Some("ulimit -v unlimited, or at least 16000000".to_owned()),
            Self::Handles(_)
            | Self::HeaderCount
            | Self::HostCall
            | Self::Instances
            | Self::Random
            | Self::Tables
            | Self::Tasks(_) => return None,
        };
        Some(format!("a policy with `limits: {{{line}}}` raises it: --policy FILE"))
    }
}

/// Returns twice the limit, as far as a policy may have it, or `None` for the highest.
fn raised(limit: u64, range: Range) -> Option<u64> {
    (limit < range.most).then(|| limit.saturating_mul(2).min(range.most))
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
            Self::Tasks(limit) => {
                write!(f, "it needed more than {limit} tasks, calls and ends of streams at a time")
            }
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
    fn a_request_narrows_a_limit_and_never_raises_it() {
        let of = |memory, timeout| StatedLimits { memory, timeout, ..StatedLimits::default() };
        let hour = Duration::from_hours(1);
        let granted = of(Some(1 << 30), None);
        for (request, memory, timeout) in [
            (of(None, None), 1 << 30, None),
            (of(Some(64 << 20), Some(Some(hour))), 64 << 20, Some(hour)),
            (of(Some(2 << 30), Some(None)), 1 << 30, None),
        ] {
            let limits = granted.within([&request].into_iter());
            assert_eq!((limits.memory, limits.timeout), (memory, timeout));
        }
        let silent = StatedLimits::default();
        assert_eq!(silent.within([&of(Some(4 << 30), None)].into_iter()), Limits::default());
    }

    #[test]
    fn a_limit_is_reported_with_what_raises_it() {
        let message = Limit::Memory(512 << 20).report();
        assert_eq!(message.text, "the plugin ran into a limit: it needed more than 512 MiB of memory");
        let hint = "a policy with `limits: {memory: 1Gi}` raises it: --policy FILE";
        assert_eq!(message.hint.as_deref(), Some(hint));
    }

    #[test]
    fn the_highest_limit_is_not_raised_further() {
        let hint = |limit: Limit| limit.hint();
        assert!(hint(Limit::Stack(48 << 20)).unwrap().contains("{stack: 64Mi}"));
        assert!(hint(Limit::Sockets(1000)).unwrap().contains("{sockets: 1024}"));
        for highest in [Limit::Stack(64 << 20), Limit::Memory(4 << 30), Limit::Requests(1024)] {
            assert_eq!(hint(highest), None);
        }
    }
}
