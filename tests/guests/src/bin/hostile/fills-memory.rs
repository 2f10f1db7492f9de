//! `fills-memory [--trusting] [MIB]`: allocates memory, a MiB at a time, until it has MIB of them, 4096 by
//! default, or gets no more; prints the amount and exits with 0. With `--trusting` it behaves like most
//! programs, and traps if it gets none. Defence: a guest's memory is limited.

use std::io::{self, Write};

const MIB: usize = 1024 * 1024;

fn main() -> io::Result<()> {
    let trusting = std::env::args().any(|argument| argument == "--trusting");
    // 4 GiB is all that a 32-bit memory has.
    let wanted: usize = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(4096);
    // The list of blocks must not be what fails.
    let mut taken: Vec<Vec<u8>> = Vec::with_capacity(wanted);
    while taken.len() < wanted {
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
    writeln!(out, "took {mebibytes} MiB{}", if mebibytes < wanted { ", then was refused" } else { "" })?;
    out.flush()
}
