//! `dials-by-hand HOST:PORT [--request TEXT] [--pieces BYTES] [--pause MS] [--shutdown] [--read BYTES]
//! [--count BYTES [--sum]]`: sends TEXT, in which `\r`, `\n` and `\\` are escapes, or else its input, through
//! a socket of the standard library, and prints the response until the peer ends it. `--pieces` sends it in
//! pieces of this many bytes, with a pause after each; `--shutdown` ends its writing; `--read` is the size of
//! its reads. `--count` prints the number of received bytes and their SHA-256 instead, and stops after this
//! many bytes, or at the end for 0; with `--sum` it adds up the bytes, which is cheap enough to measure only
//! the reading.

mod plan;

use plan::Plan;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

const USAGE: &str = "dials-by-hand HOST:PORT [--request TEXT] [--pieces BYTES] [--pause MS] [--shutdown] \
    [--read BYTES] [--count BYTES [--sum]]";

fn main() {
    let Some(plan) = plan::parse(std::env::args().skip(1)) else {
        eprintln!("usage: {USAGE}");
        kube_guest::exit(2)
    };
    match dial(&plan) {
        Ok(written) => kube_guest::finish("dials-by-hand", written),
        Err(why) => {
            drop(io::stdout().flush());
            eprintln!("dials-by-hand: {why}");
            kube_guest::exit(1)
        }
    }
}

/// Performs the plan, and returns the result of writing to standard output if everything before succeeded.
fn dial(plan: &Plan) -> Result<io::Result<()>, String> {
    let why = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    // A name is the host's to resolve, by the standard library's resolver.
    let mut stream = TcpStream::connect(&plan.address).map_err(why("connect"))?;
    let mut request = Vec::new();
    match &plan.request {
        Some(text) => request.extend_from_slice(text.as_bytes()),
        None => drop(io::stdin().read_to_end(&mut request).map_err(why("input"))?),
    }
    for piece in request.chunks(plan.pieces) {
        stream.write_all(piece).map_err(why("write"))?;
        std::thread::sleep(plan.pause);
    }
    if plan.shutdown {
        stream.shutdown(Shutdown::Write).map_err(why("shutdown"))?;
    }
    match plan.count {
        Some(limit) => count(&mut stream, limit, plan),
        None => copy(&mut stream, plan.read),
    }
    .map_err(why("read"))
}

fn copy(stream: &mut TcpStream, size: usize) -> io::Result<io::Result<()>> {
    let mut out = io::stdout().lock();
    let mut buffer = vec![0; size];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(Ok(()));
        }
        // Seen at once, where the peer waits for what follows from it.
        if let Err(error) = out.write_all(&buffer[..length]).and_then(|()| out.flush()) {
            return Ok(Err(error));
        }
    }
}

fn count(stream: &mut TcpStream, limit: u64, plan: &Plan) -> io::Result<io::Result<()>> {
    let mut buffer = vec![0; plan.read];
    let (mut bytes, mut sum, mut digest) = (0, 0_u64, Sha256::new());
    while limit == 0 || bytes < limit {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        bytes += length as u64;
        if plan.sum {
            sum = buffer[..length].iter().fold(sum, |sum, byte| sum.wrapping_add(u64::from(*byte)));
        } else {
            digest.update(&buffer[..length]);
        }
    }
    let checksum =
        if plan.sum { format!("sum {sum:016x}") } else { format!("sha256 {:x}", digest.finalize()) };
    Ok(writeln!(io::stdout(), "{bytes} bytes, {checksum}"))
}
