//! `asks-for-random [BYTES]`: requests BYTES random bytes in one call, 8 MiB by default. The host makes them
//! before they go into the guest's memory. Defence: their number is limited, and the guest traps above the
//! limit.

use guests::attempt::{self, Arguments};

fn main() {
    let wanted: u32 = Arguments::of("asks-for-random [BYTES]").number("8388608");
    let got = format!("{} bytes", random(wanted).len());
    attempt::tell(if got == format!("{wanted} bytes") { Ok(got) } else { Err(got) })
}

#[cfg(not(target_env = "p1"))]
fn random(bytes: u32) -> Vec<u8> {
    wasip2::random::random::get_random_bytes(bytes.into())
}

/// Gets random bytes. In a core module this is one call too, whatever the length.
#[cfg(target_env = "p1")]
fn random(bytes: u32) -> Vec<u8> {
    let mut buffer: Vec<u8> = (0..bytes).map(|_| 0).collect();
    if getrandom::fill(&mut buffer).is_err() {
        buffer.clear();
    }
    buffer
}
