//! wasi:sockets/ip-name-lookup: knows a few names, and asks no resolver.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Network, SocketResult, subscribe};

use super::Sockets;
use super::bindings::wasi::sockets::ip_name_lookup;
use super::held::Found;
use crate::gate::Denied;

impl ip_name_lookup::Host for Sockets<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<Found>> {
        self.table.get(&network)?;
        Ok(self.table.push(Found(Some(self.gate.look_up(&name))))?)
    }
}

impl ip_name_lookup::HostResolveAddressStream for Sockets<'_> {
    fn resolve_next_address(&mut self, this: Resource<Found>) -> SocketResult<Option<IpAddress>> {
        match self.table.get_mut(&this)?.0.take() {
            Some(Ok(address)) => Ok(Some(address.into())),
            Some(Err(Denied)) => Err(ErrorCode::NameUnresolvable.into()),
            None => Ok(None),
        }
    }

    fn subscribe(&mut self, this: Resource<Found>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, this)
    }

    fn drop(&mut self, this: Resource<Found>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
