//! `fills-memory [--trusting]`: takes memory, a MiB at a time, until it gets no more; prints how much that was and ends
//! with 0. With `--trusting` it does what most programs do, and traps where it gets none.

use std::io::{self, Write};

const MIB: usize = 1024 * 1024;

fn main() -> io::Result<()> {
    let trusting = std::env::args().any(|argument| argument == "--trusting");
    // The list of blocks must not be what fails: 4 GiB is all that a 32-bit memory has.
    let mut taken: Vec<Vec<u8>> = Vec::with_capacity(4096);
    while taken.len() < 4096 {
        let mut block = Vec::new();
        if !trusting && block.try_reserve_exact(MIB).is_err() {
            break;
        }
        // Touched, so that the host has to find real pages for it.
        block.resize(MIB, 1);
        taken.push(block);
    }
    let mebibytes = taken.len();
    // Printing needs a little room again.
    drop(taken.pop());
    let mut out = io::stdout().lock();
    writeln!(out, "took {mebibytes} MiB, then was refused")?;
    out.flush()
}
