//! Copies standard input to standard output as it comes, until the input ends.

use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    match copy() {
        // Who listened has heard enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

fn copy() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut out = io::stdout().lock();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let length = input.read(&mut chunk)?;
        if length == 0 {
            return Ok(());
        }
        out.write_all(&chunk[..length])?;
        // A conversation over pipes waits for each answer.
        out.flush()?;
    }
}
