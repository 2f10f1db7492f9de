#![no_main]

#[path = "../src/kubeconfig.rs"]
mod kubeconfig;

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubeconfig::holds(data));
