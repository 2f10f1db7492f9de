#![no_main]

#[path = "../src/artifact.rs"]
mod artifact;

libfuzzer_sys::fuzz_target!(|data: &[u8]| artifact::holds(data));
