#![no_main]

#[path = "../src/signature.rs"]
mod signature;

libfuzzer_sys::fuzz_target!(|data: &[u8]| signature::holds(data));
