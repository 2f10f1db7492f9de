//! Prints `sleeping`, then blocks inside the host on a clock that rings in 292 years.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "sleeping")?;
    out.flush()?;
    loop {
        sleep(i64::MAX.unsigned_abs());
    }
}

#[cfg(not(target_env = "p1"))]
fn sleep(nanoseconds: u64) {
    wasip2::clocks::monotonic_clock::subscribe_duration(nanoseconds).block();
}

#[cfg(target_env = "p1")]
fn sleep(nanoseconds: u64) {
    std::thread::sleep(std::time::Duration::from_nanos(nanoseconds));
}
