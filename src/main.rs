//! The program `kwasm`. All of its logic is in the library.

use std::process::ExitCode;

use kwasm::environment::Environment;

/// See Cargo.toml: what musl itself has is slow.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kwasm::run(&Environment::of_process())
}
