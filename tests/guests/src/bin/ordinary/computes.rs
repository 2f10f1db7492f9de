//! `computes MILLIONS [--panic]`: prints `computing`, computes for so many million rounds, which never call the host,
//! prints the result, and with `--panic` panics. Each function keeps a frame of its own, and `computes-debug` has their
//! names and DWARF.

use std::hint::black_box;
use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let millions: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut out = io::stdout().lock();
    writeln!(out, "computing")?;
    out.flush()?;
    let result = spend(millions);
    writeln!(out, "{result}")?;
    out.flush()?;
    if arguments.next().as_deref() == Some("--panic") {
        give_up(millions);
    }
    Ok(())
}

#[inline(never)]
fn spend(millions: u64) -> u64 {
    (0..millions).fold(0, |sum, number| sum ^ work(number))
}

#[inline(never)]
fn work(number: u64) -> u64 {
    let mut sum = number;
    for round in 0..1_000_000_u64 {
        sum = black_box(sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round));
    }
    sum
}

#[inline(never)]
fn give_up(millions: u64) -> ! {
    panic!("computed for {millions} million rounds")
}
