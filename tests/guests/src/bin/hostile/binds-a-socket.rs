//! `binds-a-socket [ADDRESS:PORT]`: listens by TCP and by UDP, on a port of the host's choice by default.
//! Defence: there is no socket that others can reach.

use guests::attempt::{self, Arguments};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

fn main() {
    let usage = "binds-a-socket [ADDRESS:PORT]";
    let [address] = Arguments::of(usage).values(["127.0.0.1:0"]);
    let Ok(address) = address.parse::<SocketAddr>() else { Arguments::of(usage).wrong() };
    let tcp = TcpListener::bind(address).and_then(|listener| listener.local_addr());
    let udp = UdpSocket::bind(address).and_then(|socket| socket.local_addr());
    attempt::tell_each([("tcp".to_owned(), shown(tcp)), ("udp".to_owned(), shown(udp))])
}

fn shown(bound: io::Result<SocketAddr>) -> Result<String, String> {
    bound.map(|address| address.to_string()).map_err(|error| format!("{:?}: {error}", error.kind()))
}
