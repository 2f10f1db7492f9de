//! Prints `trapping`, then executes `unreachable`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "trapping")?;
    out.flush()?;
    // `abort` is the instruction `unreachable` on WebAssembly.
    std::process::abort()
}
