//! The resources that a guest holds: sockets, and addresses that were looked up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use wasmtime_wasi::p2::Pollable;

use crate::gate::{Denied, GuestEnd, Socket};

/// The guest's own address, which belongs to no one (TEST-NET-2, RFC 5737).
pub(super) const OWN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 1), 49_152));

/// A guest's socket, of WASI 0.2 or 0.3.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct TcpSocket {
    pub(super) is_ipv6: bool,
    pub(super) stage: Stage,
    pub(super) options: Options,
    /// The slot that limits their number. In 0.3 the streams of a connection share it, since they may outlive the
    /// socket; in 0.2 they cannot.
    pub(super) slot: Arc<Socket>,
    /// Whether a guest of 0.3 has taken the direction in which it sends.
    pub(super) sends: bool,
    /// Whether it has taken the other one.
    pub(super) receives: bool,
}

/// The state of a socket (`wit/deps/sockets.wit` describes the state machine).
pub(super) enum Stage {
    Unbound,
    /// Of 0.2 alone, where connecting takes two calls.
    Connecting(SocketAddr, GuestEnd),
    Connected(SocketAddr, GuestEnd),
    /// A connection was refused, and the socket can no longer be used.
    Closed,
}

/// The options that a guest set, kept so that it can get them. They have no effect on the way to the gate.
pub(super) struct Options {
    pub(super) keep_alive: bool,
    pub(super) idle_time: u64,
    pub(super) interval: u64,
    pub(super) count: u32,
    pub(super) hop_limit: u8,
    pub(super) receive_buffer: u64,
    pub(super) send_buffer: u64,
}

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

impl Default for Options {
    /// Returns the same defaults as on Linux.
    fn default() -> Self {
        Self {
            keep_alive: false,
            idle_time: 7_200 * SECOND,
            interval: 75 * SECOND,
            count: 9,
            hop_limit: 64,
            receive_buffer: 256 << 10,
            send_buffer: 256 << 10,
        }
    }
}

impl TcpSocket {
    pub(super) fn new(is_ipv6: bool, slot: Socket) -> Self {
        let (stage, options, slot) = (Stage::Unbound, Options::default(), Arc::new(slot));
        Self { is_ipv6, stage, options, slot, sends: false, receives: false }
    }
}

/// A socket is ready at once: it is connected, or has failed, as soon as that was requested.
#[wasmtime_wasi::async_trait]
impl Pollable for TcpSocket {
    async fn ready(&mut self) {}
}

/// The addresses of a name that are still to be returned.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Found(pub(super) Option<Result<IpAddr, Denied>>);

#[wasmtime_wasi::async_trait]
impl Pollable for Found {
    async fn ready(&mut self) {}
}
