//! `asks-for-random [BYTES]`: asks for BYTES random bytes in one call, 8 MiB by default. The host makes them before the
//! guest's memory is asked. Their number has an end, at which the guest traps: that is the defence.

use attempt::Arguments;
use wasip2::random::random::get_random_bytes;

fn main() {
    let bytes = Arguments::of("asks-for-random [BYTES]").number("8388608");
    attempt::tell(Ok(format!("{} bytes", get_random_bytes(bytes).len())))
}
