//! `opens-sockets ADDRESS:PORT`: connects by TCP. Defence: sockets only lead to the cluster's virtual
//! address.

use guests::attempt::{self, Arguments};
use std::net::{SocketAddr, TcpStream};

fn main() {
    let usage = "opens-sockets ADDRESS:PORT";
    let Ok(address) = Arguments::of(usage).value().parse::<SocketAddr>() else {
        Arguments::of(usage).wrong()
    };
    let connected = TcpStream::connect(address).map(|_| format!("connected to {address}"));
    attempt::tell(connected.map_err(|error| format!("{:?}: {error}", error.kind())))
}
