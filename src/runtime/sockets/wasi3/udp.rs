//! The UDP sockets of 0.3, of which none is ever made.

use std::future::ready;

use wasmtime::component::{Accessor, Resource};

use super::bindings::NoSocket;
use super::types::{ErrorCode, HostUdpSocket, HostUdpSocketWithStore, IpAddressFamily, IpSocketAddress};
use super::{SocketResult, Sockets, denied};

type This = Resource<NoSocket>;

/// The answer for a socket that cannot exist.
fn none<T>() -> SocketResult<T> {
    Err(ErrorCode::InvalidState.into())
}

/// Functions of such a socket.
macro_rules! none {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {$(
        fn $name(&mut self, _: This $(, _: $argument)*) -> SocketResult<$result> {
            none()
        }
    )*};
}

impl<T> HostUdpSocketWithStore<T> for Sockets<'static> {
    fn send(
        _: &Accessor<T, Self>,
        _: This,
        _: Vec<u8>,
        _: Option<IpSocketAddress>,
    ) -> impl Future<Output = SocketResult<()>> + Send {
        ready(none())
    }

    fn receive(
        _: &Accessor<T, Self>,
        _: This,
    ) -> impl Future<Output = SocketResult<(Vec<u8>, IpSocketAddress)>> + Send {
        ready(none())
    }
}

impl HostUdpSocket for Sockets<'_> {
    fn create(&mut self, _: IpAddressFamily) -> SocketResult<This> {
        Err(denied(self.gate.deny("open a UDP socket")))
    }

    none! {
        bind(IpSocketAddress) -> ();
        connect(IpSocketAddress) -> ();
        disconnect() -> ();
        get_local_address() -> IpSocketAddress;
        get_remote_address() -> IpSocketAddress;
        get_unicast_hop_limit() -> u8;
        set_unicast_hop_limit(u8) -> ();
        get_receive_buffer_size() -> u64;
        set_receive_buffer_size(u64) -> ();
        get_send_buffer_size() -> u64;
        set_send_buffer_size(u64) -> ();
    }

    fn get_address_family(&mut self, _: This) -> wasmtime::Result<IpAddressFamily> {
        Ok(IpAddressFamily::Ipv4)
    }

    fn drop(&mut self, _: This) -> wasmtime::Result<()> {
        Ok(())
    }
}
