//! `hoards-sockets [COUNT]`: opens 1000 connections to the cluster, and keeps them. Succeeds if all connect.
//! Defence: the number of connections is limited.

use guests::attempt::socket::DOOR;
use guests::attempt::{self, Arguments};
use std::net::TcpStream;

fn main() {
    let count: usize = Arguments::of("hoards-sockets [COUNT]").number("1000");
    let mut kept = Vec::new();
    attempt::tell(loop {
        if kept.len() == count {
            break Ok(format!("{count} sockets"));
        }
        match TcpStream::connect(DOOR) {
            Ok(socket) => kept.push(socket),
            Err(error) => break Err(format!("{} sockets, then {error}", kept.len())),
        }
    })
}
