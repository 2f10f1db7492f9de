//! `recurses [DEPTH]`: calls itself DEPTH times, a million by default, each call within the one before. Its
//! frames hold nothing in the guest's memory, so that they take the host's stack alone. Defence: that
//! stack is limited, and the guest traps at its end.

use guests::attempt::{self, Arguments};

fn main() {
    let depth: u32 = Arguments::of("recurses [DEPTH]").number("1000000");
    let sum = call(depth);
    attempt::tell(Ok(format!("{depth} calls deep, {sum:08x}")))
}

/// Calls itself. It cannot be turned into a loop: the rest of the work needs the result of the call, and the
/// time of the call.
fn call(depth: u32) -> u32 {
    if depth == 0 { 1 } else { call(depth - 1).wrapping_mul(31) ^ depth }
}
