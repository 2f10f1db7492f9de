//! Prints `sleeping`, then blocks inside the host on a clock that rings in 292 years.

use std::io::{self, Write};
use wasip2::clocks::monotonic_clock;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "sleeping")?;
    out.flush()?;
    loop {
        monotonic_clock::subscribe_duration(i64::MAX.unsigned_abs()).block();
    }
}
