//! Prints `looping`, then never calls the host again: only an interruption from outside ends it.

use std::hint::black_box;
use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "looping")?;
    out.flush()?;
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}
