//! `lets-go PATH`: gets PATH through a socket, reads the head of the answer, prints `open`, closes the socket
//! when a line comes in, prints `let go`, and continues until the next line.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let mut socket = TcpStream::connect("192.0.2.1:80")?;
    write!(socket, "GET {path} HTTP/1.1\r\nhost: 192.0.2.1\r\n\r\n")?;
    let mut head = BufReader::new(socket).lines();
    while head.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    println!("open");
    wait()?;
    drop(head);
    println!("let go");
    wait()
}

fn wait() -> io::Result<()> {
    io::stdin().read_line(&mut String::new()).map(drop)
}
