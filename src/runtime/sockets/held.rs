//! The resources that a guest holds: sockets, and addresses that were looked up.

use std::net::IpAddr;

use wasmtime_wasi::p2::Pollable;
use wasmtime_wasi::p2::bindings::sockets::network::{IpAddressFamily, IpSocketAddress};

use crate::gate::{Denied, GuestEnd, Socket};

/// A guest's socket.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct TcpSocket {
    pub(super) family: IpAddressFamily,
    pub(super) stage: Stage,
    pub(super) options: Options,
    /// The slot that limits their number.
    pub(super) _slot: Socket,
}

/// The state of a socket (`wit/deps/sockets.wit` describes the state machine).
pub(super) enum Stage {
    Unbound,
    Connecting(IpSocketAddress, GuestEnd),
    Connected(IpSocketAddress, GuestEnd),
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
    pub(super) fn new(family: IpAddressFamily, slot: Socket) -> Self {
        Self { family, stage: Stage::Unbound, options: Options::default(), _slot: slot }
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
