//! `kubectl big [WORD…]`: greets like `hello`, and carries 18 MiB that it hardly touches, as the runtime of an
//! interpreted language would be carried.

use std::hint::black_box;
use std::io::{self, Write};

/// A `static`, not a `const`: one copy, in the data section.
static BALLAST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ballast"));

/// Touches this many pages of the ballast and no more.
const SAMPLES: usize = 8;

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // The optimiser must not learn which bytes are read: it would keep those and drop the rest.
    let ballast = black_box(BALLAST);
    let step = ballast.len() / black_box(SAMPLES);
    let sum = ballast.iter().step_by(step).fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte));
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "hello from kwasm: {} bytes inside, checksum {sum:08x} {}",
        ballast.len(),
        words.join(" ")
    )?;
    out.flush()
}
