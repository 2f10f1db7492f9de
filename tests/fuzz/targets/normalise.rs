#![no_main]

#[path = "../src/normalise.rs"]
mod normalise;
#[path = "../src/percent.rs"]
mod percent;

libfuzzer_sys::fuzz_target!(|data: &[u8]| normalise::holds(data));
