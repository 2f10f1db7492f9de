//! `kwasm-faults`: the program with the feature `faults`, from which a test can take single defences away.

use std::process::ExitCode;

use kwasm::environment::Environment;

fn main() -> ExitCode {
    kwasm::run(&Environment::of_process())
}
