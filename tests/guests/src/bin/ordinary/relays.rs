//! `relays [ADDRESS]`: connects to port 80 of ADDRESS, 192.0.2.1, and copies its input there and what comes back to its
//! output, both at once, each end for itself. So any client of the host can speak through a plugin's socket.

use std::net::Ipv4Addr;
use wasip2::io::poll::poll;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp::{ShutdownType, TcpSocket};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

/// The most bytes that are taken at once.
const CHUNK: u64 = 256 << 10;

fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "192.0.2.1".to_owned());
    let Ok(address) = address.parse::<Ipv4Addr>() else {
        eprintln!("usage: relays [ADDRESS]");
        kube_guest::exit(2)
    };
    let connected = connect(address.octets().into()).map_err(|error| format!("connecting: {error:?}"));
    if let Err(why) = connected.and_then(|(socket, input, output)| relay(&socket, input, output)) {
        eprintln!("relays: {why}");
        kube_guest::exit(1)
    }
}

type Connection = (TcpSocket, InputStream, OutputStream);

fn connect(address: (u8, u8, u8, u8)) -> Result<Connection, ErrorCode> {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
    let to = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 80, address });
    socket.start_connect(&instance_network(), to)?;
    loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            connected => return connected.map(|(input, output)| (socket, input, output)),
        }
    }
}

/// Copies until both ends have said that nothing more comes.
fn relay(socket: &TcpSocket, input: InputStream, output: OutputStream) -> Result<(), String> {
    let mut up = Some(Way { from: wasip2::cli::stdin::get_stdin(), to: output, what: Vec::new() });
    let mut down = Some(Way { from: input, to: wasip2::cli::stdout::get_stdout(), what: Vec::new() });
    while up.is_some() || down.is_some() {
        if let Some(way) = &mut up
            && way.copy()?
        {
            socket.shutdown(ShutdownType::Send).map_err(|error| format!("shutdown: {error:?}"))?;
            up = None;
        }
        if let Some(way) = &mut down
            && way.copy()?
        {
            // Further bytes of the host's client have no reader.
            return Ok(());
        }
        let waiting: Vec<_> = up.iter().chain(&down).map(Way::wait).collect();
        poll(&waiting.iter().collect::<Vec<_>>());
    }
    Ok(())
}

/// One direction, with the bytes that were read and are not yet written.
struct Way {
    from: InputStream,
    to: OutputStream,
    what: Vec<u8>,
}

impl Way {
    /// Copies what can be copied now, and says whether that was the end.
    fn copy(&mut self) -> Result<bool, String> {
        loop {
            if self.what.is_empty() {
                match self.from.read(CHUNK) {
                    Ok(bytes) if bytes.is_empty() => return Ok(false),
                    Ok(bytes) => self.what = bytes,
                    Err(StreamError::Closed) => return Ok(true),
                    Err(error) => return Err(format!("reading: {error:?}")),
                }
            }
            match self.to.check_write() {
                Ok(0) => return Ok(false),
                Ok(room) => {
                    let fitting = usize::try_from(room).unwrap_or(usize::MAX).min(self.what.len());
                    let rest = self.what.split_off(fitting);
                    let bytes = std::mem::replace(&mut self.what, rest);
                    let written = self.to.write(&bytes).and_then(|()| self.to.flush());
                    written.map_err(|error| format!("writing: {error:?}"))?;
                }
                // The reader has closed its end: nothing more is to be sent.
                Err(StreamError::Closed) => return Ok(true),
                Err(error) => return Err(format!("writing: {error:?}")),
            }
        }
    }

    /// Returns what to wait for: incoming bytes, or room for pending ones.
    fn wait(&self) -> wasip2::io::poll::Pollable {
        if self.what.is_empty() { self.from.subscribe() } else { self.to.subscribe() }
    }
}
