//! wasi:sockets 0.3, answered by the gate as 0.2's are. wasmtime's own TCP, UDP and name lookup are not linked.

mod addresses;
mod bindings;
mod streams;
mod tcp;
mod udp;

use std::future::ready;

use wasmtime::component::{Accessor, Linker};

use self::bindings::SocketError;
use self::bindings::wasi::sockets::{ip_name_lookup, types};
use super::Sockets;
use crate::gate::Denied;

type SocketResult<T> = Result<T, SocketError>;

/// Adds wasi:sockets 0.3 to a linker.
pub(in crate::runtime) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> Sockets<'_>,
) -> wasmtime::Result<()> {
    types::add_to_linker::<T, Sockets<'static>>(linker, view)?;
    ip_name_lookup::add_to_linker::<T, Sockets<'static>>(linker, view)
}

/// Returns the error of what the gate denies. The user has been informed.
fn denied(_: Denied) -> SocketError {
    types::ErrorCode::AccessDenied.into()
}

impl types::Host for Sockets<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<types::ErrorCode> {
        error.downcast()
    }
}

impl ip_name_lookup::Host for Sockets<'_> {}

impl<T> ip_name_lookup::HostWithStore<T> for Sockets<'static> {
    /// Knows a few names, and asks no resolver.
    fn resolve_addresses(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> impl Future<Output = wasmtime::Result<Result<Vec<types::IpAddress>, ip_name_lookup::ErrorCode>>> + Send
    {
        let found = accessor.with(|mut access| access.get().gate.look_up(&name));
        let found = found.map(|address| vec![address.into()]);
        ready(Ok(found.map_err(|Denied| ip_name_lookup::ErrorCode::NameUnresolvable)))
    }
}
