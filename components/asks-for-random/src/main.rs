//! `asks-for-random [BYTES]`: asks for BYTES random bytes in one call, 8 MiB by default. The host makes them before the
//! guest's memory is asked. Their number has an end, at which the guest traps: that is the defence.

use attempt::Arguments;

fn main() {
    let bytes = Arguments::of("asks-for-random [BYTES]").number("8388608");
    attempt::tell(random(bytes).map(|bytes| format!("{} bytes", bytes.len())))
}

#[cfg(not(target_env = "p1"))]
fn random(bytes: u32) -> Result<Vec<u8>, String> {
    Ok(wasip2::random::random::get_random_bytes(bytes.into()))
}

/// In a core module, whatever the length, it is one call too.
#[cfg(target_env = "p1")]
fn random(bytes: u32) -> Result<Vec<u8>, String> {
    let mut buffer = vec![0; usize::try_from(bytes).map_err(|error| error.to_string())?];
    getrandom::fill(&mut buffer).map_err(|error| error.to_string())?;
    Ok(buffer)
}
