//! `carries exec|forward POD (--send BYTES | --receive BYTES) -- COMMAND…`: carries bytes to or from a
//! command, through the socket door: one that runs in the pod, or one behind its port 1, to which it is sent
//! as the first line.
//!
//! It sends the output of `carries pattern`, repeatedly, and prints the command's answer; what it receives is
//! compared with the same output. The namespace is the context's.

mod arguments;
mod pattern;
mod stream;

use arguments::{Command, Direction, Plan};
use pattern::{Pattern, Progress};
use std::io::{self, Write};
use stream::Stream;

fn main() {
    let done = match arguments::parse(std::env::args().skip(1)) {
        Some(Command::Pattern) => Pattern::new().print(&mut io::stdout().lock()),
        Some(Command::Carry(plan)) => carry(&plan).and_then(|told| writeln!(io::stdout(), "{told}")),
        None => {
            eprintln!("{}", arguments::USAGE);
            kube_guest::exit(2)
        }
    };
    if let Err(error) = done {
        eprintln!("carries: {error}");
        kube_guest::exit(1)
    }
}

fn carry(plan: &Plan) -> io::Result<String> {
    let pattern = Pattern::new();
    let mut stream = Stream::open(plan)?;
    match plan.direction {
        Direction::Send(bytes) => {
            for piece in pattern.pieces(bytes) {
                stream.send(piece)?;
            }
            stream.line()
        }
        Direction::Receive(bytes) => {
            let mut progress = Progress::default();
            stream.each(|piece| {
                progress.compare(&pattern, piece)?;
                Ok(progress.bytes() < bytes)
            })?;
            match progress.bytes() {
                received if received == bytes => Ok(format!("{bytes} bytes as they should be")),
                received => Err(io::Error::other(format!("{received} bytes came, not {bytes}"))),
            }
        }
    }
}
