//! wasi:sockets, answered by the gate: a guest's TCP socket can only be connected to the server in this
//! process (`gate::socket`). wasmtime's own TCP, UDP and name lookup are not linked at all, so no setting can
//! enable them.

mod bindings;
mod held;
mod lookup;
mod streams;
mod tcp;
pub(super) mod wasi3;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::{IoError, Network, SocketError, SocketResult, UdpSocket};

use self::bindings::wasi::sockets::{ip_name_lookup, tcp_create_socket, udp_create_socket};
use self::held::TcpSocket;
use crate::gate::{Denied, Gate};

/// The host's side of a guest's wasi:sockets calls.
pub(super) struct Sockets<'a> {
    pub(super) gate: &'a Gate,
    pub(super) table: &'a mut ResourceTable,
}

impl HasData for Sockets<'static> {
    type Data<'a> = Sockets<'a>;
}

/// Adds wasi:sockets to a linker.
pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> Sockets<'_>,
) -> wasmtime::Result<()> {
    bindings::wasi::sockets::tcp::add_to_linker::<T, Sockets<'static>>(linker, view)?;
    tcp_create_socket::add_to_linker::<T, Sockets<'static>>(linker, view)?;
    udp_create_socket::add_to_linker::<T, Sockets<'static>>(linker, view)?;
    ip_name_lookup::add_to_linker::<T, Sockets<'static>>(linker, view)
}

impl From<Denied> for SocketError {
    fn from(_: Denied) -> Self {
        ErrorCode::AccessDenied.into()
    }
}

impl network::Host for Sockets<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    /// Returns `None`: no error of these streams is a network error.
    fn network_error_code(&mut self, _: Resource<IoError>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(None)
    }
}

impl network::HostNetwork for Sockets<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.table.delete(network)?;
        Ok(())
    }
}

impl tcp_create_socket::Host for Sockets<'_> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        let slot = self.gate.socket().map_err(|Denied| ErrorCode::NewSocketLimit)?;
        Ok(self.table.push(TcpSocket::new(matches!(family, IpAddressFamily::Ipv6), slot))?)
    }
}

impl udp_create_socket::Host for Sockets<'_> {
    fn create_udp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        Err(self.gate.deny("open a UDP socket").into())
    }
}
