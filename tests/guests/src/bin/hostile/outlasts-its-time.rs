//! `outlasts-its-time [SECONDS] [--busy]`: waits in the host for SECONDS, 5 by default, or computes for as
//! long. Defence: the time of a run has an end, where its policy has one.

use guests::attempt::{self, Arguments};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    let mut arguments = Arguments::of("outlasts-its-time [SECONDS] [--busy]");
    let busy = arguments.flag("--busy");
    let time = Duration::from_secs(arguments.number("5"));
    let start = Instant::now();
    if !busy {
        std::thread::sleep(time);
    }
    while start.elapsed() < time {
        // Long stretches in which the host is not called.
        black_box((0..10_000_000_u64).fold(0, |sum, number| black_box(sum ^ number)));
    }
    attempt::tell(Ok("outlasted".to_owned()))
}
