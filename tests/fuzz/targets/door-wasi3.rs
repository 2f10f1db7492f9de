#![no_main]

#[path = "../src/door/mod.rs"]
mod door;

libfuzzer_sys::fuzz_target!(|data: &[u8]| door::wasi3::holds(data));
