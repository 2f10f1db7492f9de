#![no_main]

#[path = "../src/attributes.rs"]
mod attributes;
#[path = "../src/percent.rs"]
mod percent;

libfuzzer_sys::fuzz_target!(|data: &[u8]| attributes::holds(data));
