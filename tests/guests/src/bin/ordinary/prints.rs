//! `prints N`: writes N numbered lines. A closed reader is not an error.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(lines) = std::env::args().nth(1).and_then(|lines| lines.parse::<u64>().ok()) else {
        eprintln!("usage: prints N");
        return ExitCode::FAILURE;
    };
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let written = (1..=lines).try_for_each(|line| writeln!(out, "line {line}"));
    // Both endings are quiet: what a closed pipe looks like differs from host to host.
    match written.and_then(|()| out.flush()) {
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}
