//! The program `kwasm`. All of its logic is in the library.

use std::process::ExitCode;

use kwasm::environment::Environment;

fn main() -> ExitCode {
    kwasm::run(&Environment::of_process())
}
