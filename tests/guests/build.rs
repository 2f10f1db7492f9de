//! Writes the data that makes the component big: pseudo-random, so that no compression makes it small again.

use std::io::{self, Write};
use std::path::Path;

const BYTES: usize = 18 * 1024 * 1024;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let directory = std::env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    let mut file = io::BufWriter::new(std::fs::File::create(Path::new(&directory).join("ballast"))?);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..BYTES / 8 {
        file.write_all(&xorshift(&mut state).to_le_bytes())?;
    }
    file.flush()
}

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d)
}
