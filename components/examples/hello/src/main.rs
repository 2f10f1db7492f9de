//! `kubectl hello [WORD…]`: greets. It only needs arguments and standard output from the host.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut out = io::stdout().lock();
    if words.is_empty() {
        writeln!(out, "hello from kwasm")?;
    } else {
        writeln!(out, "hello from kwasm: {}", words.join(" "))?;
    }
    out.flush()
}
