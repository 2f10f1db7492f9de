#![no_main]

#[path = "../src/trust.rs"]
mod trust;

libfuzzer_sys::fuzz_target!(|data: &[u8]| trust::holds(data));
