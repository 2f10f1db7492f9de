//! The TCP sockets of 0.3: connections to the gate. Everything but connecting is refused.

use std::future::ready;
use std::iter;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::oneshot;
use wasmtime::component::{Access, Accessor, FutureReader, Resource, StreamReader};

use super::bindings::SocketError;
use super::streams::{Ended, Receiving, Sending};
use super::types::{
    Duration, ErrorCode, HostTcpSocket, HostTcpSocketWithStore, IpAddressFamily, IpSocketAddress, TcpSocket,
};
use super::{SocketResult, Sockets, denied};
use crate::gate::{Denied, GuestEnd, Socket};
use crate::runtime::sockets::held::{OWN, Stage};

type This = Resource<TcpSocket>;

/// What a direction of a connection holds.
type Held = (GuestEnd, Arc<Socket>);

/// The two directions of a connection, each of which a guest takes once.
#[derive(Clone, Copy)]
enum Way {
    Send,
    Receive,
}

impl Sockets<'_> {
    fn socket(&mut self, this: &This) -> SocketResult<&mut TcpSocket> {
        self.table.get_mut(this).map_err(SocketError::trap)
    }

    fn connect(&mut self, this: &This, to: SocketAddr) -> SocketResult<()> {
        let socket = self.table.get_mut(this).map_err(SocketError::trap)?;
        if !matches!(socket.stage, Stage::Unbound) {
            return Err(ErrorCode::InvalidState.into());
        }
        socket.stage = Stage::Closed;
        let end = self.gate.connect(to).map_err(denied)?;
        socket.stage = Stage::Connected(to, end);
        Ok(())
    }

    /// Takes one direction of a connected socket.
    fn take(&mut self, this: &This, way: Way) -> wasmtime::Result<Result<Held, ErrorCode>> {
        let socket = self.table.get_mut(this)?;
        let Stage::Connected(_, end) = &socket.stage else { return Ok(Err(ErrorCode::InvalidState)) };
        let held = (end.clone(), Arc::clone(&socket.slot));
        let taken = match way {
            Way::Send => &mut socket.sends,
            Way::Receive => &mut socket.receives,
        };
        Ok(if std::mem::replace(taken, true) { Err(ErrorCode::InvalidState) } else { Ok(held) })
    }
}

/// Returns a future that is ready.
fn told<T>(
    access: &mut Access<'_, T, Sockets<'static>>,
    ended: Ended,
) -> wasmtime::Result<FutureReader<Ended>> {
    FutureReader::new(access, ready(Ok::<_, wasmtime::Error>(ended)))
}

impl<T> HostTcpSocketWithStore<T> for Sockets<'static> {
    fn connect(
        accessor: &Accessor<T, Self>,
        this: This,
        to: IpSocketAddress,
    ) -> impl Future<Output = SocketResult<()>> + Send {
        ready(accessor.with(|mut access| access.get().connect(&this, to.into())))
    }

    fn listen(mut access: Access<'_, T, Self>, _: This) -> SocketResult<StreamReader<This>> {
        Err(denied(access.get().gate.deny("listen on a socket")))
    }

    fn send(
        mut access: Access<'_, T, Self>,
        this: This,
        mut data: StreamReader<u8>,
    ) -> wasmtime::Result<FutureReader<Ended>> {
        match access.get().take(&this, Way::Send)? {
            Ok((end, slot)) => {
                let (tell, ended) = oneshot::channel();
                data.pipe(&mut access, Sending::new(end, slot, tell))?;
                FutureReader::new(&mut access, ended)
            }
            Err(code) => {
                data.close(&mut access)?;
                told(&mut access, Err(code))
            }
        }
    }

    fn receive(
        mut access: Access<'_, T, Self>,
        this: This,
    ) -> wasmtime::Result<(StreamReader<u8>, FutureReader<Ended>)> {
        match access.get().take(&this, Way::Receive)? {
            Ok((end, slot)) => {
                let (tell, ended) = oneshot::channel();
                let stream = StreamReader::new(&mut access, Receiving::new(end, slot, tell))?;
                Ok((stream, FutureReader::new(&mut access, ended)?))
            }
            Err(code) => {
                let stream = StreamReader::new(&mut access, iter::empty())?;
                Ok((stream, told(&mut access, Err(code))?))
            }
        }
    }
}

/// Refuses zero, which is not a valid value of these options.
fn positive<T: Default + PartialEq>(value: T) -> SocketResult<T> {
    if value == T::default() { Err(ErrorCode::InvalidArgument.into()) } else { Ok(value) }
}

/// Functions that get and set an option.
macro_rules! options {
    ($($option:ident: $type:ty, $get:ident, $set:ident;)*) => {$(
        fn $get(&mut self, this: This) -> SocketResult<$type> {
            Ok(self.socket(&this)?.options.$option)
        }

        fn $set(&mut self, this: This, value: $type) -> SocketResult<()> {
            self.socket(&this)?.options.$option = positive(value)?;
            Ok(())
        }
    )*};
}

impl HostTcpSocket for Sockets<'_> {
    fn create(&mut self, family: IpAddressFamily) -> SocketResult<This> {
        let slot =
            self.gate.socket().map_err(|Denied| ErrorCode::Other(Some("too many sockets".to_owned())))?;
        let socket = TcpSocket::new(matches!(family, IpAddressFamily::Ipv6), slot);
        self.table.push(socket).map_err(SocketError::trap)
    }

    fn bind(&mut self, _: This, _: IpSocketAddress) -> SocketResult<()> {
        Err(denied(self.gate.deny("bind a socket")))
    }

    fn get_local_address(&mut self, this: This) -> SocketResult<IpSocketAddress> {
        self.get_remote_address(this).map(|_| OWN.into())
    }

    fn get_remote_address(&mut self, this: This) -> SocketResult<IpSocketAddress> {
        match &self.socket(&this)?.stage {
            Stage::Connected(to, _) => Ok((*to).into()),
            _ => Err(ErrorCode::InvalidState.into()),
        }
    }

    fn get_is_listening(&mut self, _: This) -> wasmtime::Result<bool> {
        Ok(false)
    }

    fn get_address_family(&mut self, this: This) -> wasmtime::Result<IpAddressFamily> {
        let is_ipv6 = self.table.get(&this)?.is_ipv6;
        Ok(if is_ipv6 { IpAddressFamily::Ipv6 } else { IpAddressFamily::Ipv4 })
    }

    fn set_listen_backlog_size(&mut self, _: This, _: u64) -> SocketResult<()> {
        Err(ErrorCode::NotSupported.into())
    }

    fn get_keep_alive_enabled(&mut self, this: This) -> SocketResult<bool> {
        Ok(self.socket(&this)?.options.keep_alive)
    }

    fn set_keep_alive_enabled(&mut self, this: This, value: bool) -> SocketResult<()> {
        self.socket(&this)?.options.keep_alive = value;
        Ok(())
    }

    options! {
        idle_time: Duration, get_keep_alive_idle_time, set_keep_alive_idle_time;
        interval: Duration, get_keep_alive_interval, set_keep_alive_interval;
        count: u32, get_keep_alive_count, set_keep_alive_count;
        hop_limit: u8, get_hop_limit, set_hop_limit;
        receive_buffer: u64, get_receive_buffer_size, set_receive_buffer_size;
        send_buffer: u64, get_send_buffer_size, set_send_buffer_size;
    }

    fn drop(&mut self, this: This) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
