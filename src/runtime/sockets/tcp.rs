//! wasi:sockets/tcp: connections to the gate. Everything but connecting is refused, since there is nothing to
//! listen to.

use std::net::SocketAddr;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, Network, SocketResult, subscribe};

use super::Sockets;
use super::bindings::wasi::sockets::tcp::{Host, HostTcpSocket, ShutdownType};
use super::held::{OWN, Options, Stage, TcpSocket};
use super::streams::{Input, Output};

impl Sockets<'_> {
    fn options(&mut self, this: &Resource<TcpSocket>) -> SocketResult<&mut Options> {
        Ok(&mut self.table.get_mut(this)?.options)
    }
}

/// Refuses zero, which is not a valid value of these options.
fn positive<T: Default + PartialEq>(value: T) -> SocketResult<T> {
    if value == T::default() { Err(ErrorCode::InvalidArgument.into()) } else { Ok(value) }
}

/// Functions that get and set an option.
macro_rules! options {
    ($($option:ident: $type:ty, $get:ident, $set:ident;)*) => {$(
        fn $get(&mut self, this: Resource<TcpSocket>) -> SocketResult<$type> {
            Ok(self.options(&this)?.$option)
        }

        fn $set(&mut self, this: Resource<TcpSocket>, value: $type) -> SocketResult<()> {
            self.options(&this)?.$option = positive(value)?;
            Ok(())
        }
    )*};
}

impl Host for Sockets<'_> {}

impl HostTcpSocket for Sockets<'_> {
    fn start_connect(
        &mut self,
        this: Resource<TcpSocket>,
        network: Resource<Network>,
        to: IpSocketAddress,
    ) -> SocketResult<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&this)?;
        match socket.stage {
            Stage::Unbound => {}
            Stage::Connecting(..) => return Err(ErrorCode::ConcurrencyConflict.into()),
            Stage::Connected(..) | Stage::Closed => return Err(ErrorCode::InvalidState.into()),
        }
        socket.stage = Stage::Closed;
        let to = SocketAddr::from(to);
        let end = self.gate.connect(to)?;
        socket.stage = Stage::Connecting(to, end);
        Ok(())
    }

    fn finish_connect(
        &mut self,
        this: Resource<TcpSocket>,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let socket = self.table.get_mut(&this)?;
        let Stage::Connecting(to, end) = &socket.stage else { return Err(ErrorCode::NotInProgress.into()) };
        let (to, end) = (*to, end.clone());
        socket.stage = Stage::Connected(to, end.clone());
        let input: DynInputStream = Box::new(Input(end.clone()));
        let output: DynOutputStream = Box::new(Output::new(end));
        Ok((self.table.push_child(input, &this)?, self.table.push_child(output, &this)?))
    }

    fn shutdown(&mut self, this: Resource<TcpSocket>, how: ShutdownType) -> SocketResult<()> {
        let Stage::Connected(_, end) = &self.table.get(&this)?.stage else {
            return Err(ErrorCode::InvalidState.into());
        };
        if matches!(how, ShutdownType::Send | ShutdownType::Both) {
            end.finish();
        }
        if matches!(how, ShutdownType::Receive | ShutdownType::Both) {
            end.stop_reading();
        }
        Ok(())
    }

    fn local_address(&mut self, this: Resource<TcpSocket>) -> SocketResult<IpSocketAddress> {
        self.remote_address(this).map(|_| OWN.into())
    }

    fn remote_address(&mut self, this: Resource<TcpSocket>) -> SocketResult<IpSocketAddress> {
        match &self.table.get(&this)?.stage {
            Stage::Connected(to, _) => Ok((*to).into()),
            _ => Err(ErrorCode::InvalidState.into()),
        }
    }

    fn address_family(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<IpAddressFamily> {
        let is_ipv6 = self.table.get(&this)?.is_ipv6;
        Ok(if is_ipv6 { IpAddressFamily::Ipv6 } else { IpAddressFamily::Ipv4 })
    }

    fn is_listening(&mut self, _: Resource<TcpSocket>) -> wasmtime::Result<bool> {
        Ok(false)
    }

    fn start_bind(
        &mut self,
        _: Resource<TcpSocket>,
        _: Resource<Network>,
        _: IpSocketAddress,
    ) -> SocketResult<()> {
        Err(self.gate.deny("bind a socket").into())
    }

    fn finish_bind(&mut self, _: Resource<TcpSocket>) -> SocketResult<()> {
        Err(ErrorCode::NotInProgress.into())
    }

    fn start_listen(&mut self, _: Resource<TcpSocket>) -> SocketResult<()> {
        Err(self.gate.deny("listen on a socket").into())
    }

    fn finish_listen(&mut self, _: Resource<TcpSocket>) -> SocketResult<()> {
        Err(ErrorCode::NotInProgress.into())
    }

    fn accept(
        &mut self,
        _: Resource<TcpSocket>,
    ) -> SocketResult<(Resource<TcpSocket>, Resource<DynInputStream>, Resource<DynOutputStream>)> {
        Err(ErrorCode::InvalidState.into())
    }

    fn set_listen_backlog_size(&mut self, _: Resource<TcpSocket>, _: u64) -> SocketResult<()> {
        Err(ErrorCode::NotSupported.into())
    }

    fn keep_alive_enabled(&mut self, this: Resource<TcpSocket>) -> SocketResult<bool> {
        Ok(self.options(&this)?.keep_alive)
    }

    fn set_keep_alive_enabled(&mut self, this: Resource<TcpSocket>, value: bool) -> SocketResult<()> {
        self.options(&this)?.keep_alive = value;
        Ok(())
    }

    options! {
        idle_time: u64, keep_alive_idle_time, set_keep_alive_idle_time;
        interval: u64, keep_alive_interval, set_keep_alive_interval;
        count: u32, keep_alive_count, set_keep_alive_count;
        hop_limit: u8, hop_limit, set_hop_limit;
        receive_buffer: u64, receive_buffer_size, set_receive_buffer_size;
        send_buffer: u64, send_buffer_size, set_send_buffer_size;
    }

    fn subscribe(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, this)
    }

    fn drop(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
