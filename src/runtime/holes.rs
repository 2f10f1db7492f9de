//! Ways out of the sandbox, for builds in which a test disables a defence. This file is not compiled in any
//! other build, which has no code by which a guest could get a file or a socket.

use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime_wasi::p2::bindings::sockets;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::defence::Defence;

/// Gives a guest what it must not have, if the defence against it is disabled.
pub(super) fn open(builder: &mut WasiCtxBuilder) -> wasmtime::Result<()> {
    if !Defence::Files.stands() {
        builder.preopened_dir("/", "/", FsPerms::ReadOnly)?;
    }
    if !Defence::Sockets.stands() {
        network(builder);
    }
    Ok(())
}

/// Gives a guest the whole disk in place of the folders that it was granted.
pub(super) fn open_disk(builder: &mut WasiCtxBuilder) -> wasmtime::Result<()> {
    builder.preopened_dir("/", "/", FsPerms::ReadWrite)?;
    Ok(())
}

/// Gives a guest wasmtime's own sockets.
pub(super) fn link_sockets<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: WasiSocketsView + Send + 'static,
{
    sockets::ip_name_lookup::add_to_linker::<T, WasiSockets>(linker, WasiSocketsView::sockets)?;
    sockets::tcp::add_to_linker::<T, WasiSockets>(linker, WasiSocketsView::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<T, WasiSockets>(linker, WasiSocketsView::sockets)?;
    sockets::udp_create_socket::add_to_linker::<T, WasiSockets>(linker, WasiSocketsView::sockets)
}

/// Gives a guest of WASI 0.3 wasmtime's own sockets.
pub(super) fn link_wasi3_sockets<T: WasiSocketsView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    wasmtime_wasi::p3::sockets::add_to_linker(linker)
}

/// Drops a guest's state after its end, like a host that ignores requests in flight.
pub(super) fn take_apart<T>(store: T) -> Option<T> {
    Defence::AbortedBodies.stands().then_some(store)
}

/// Waits long enough for them to be sent.
pub(super) async fn linger() {
    if !Defence::AbortedBodies.stands() {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a test shows what a guest with a network does")]
fn network(builder: &mut WasiCtxBuilder) {
    builder.inherit_network().allow_tcp(true).allow_udp(true).allow_ip_name_lookup(true);
}
