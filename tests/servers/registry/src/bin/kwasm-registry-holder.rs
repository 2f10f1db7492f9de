//! `kwasm-registry-holder`: starts both registries, says on a line for each where it is, and holds them until its input ends.
//! A test kills it, to see that they end with it.
#![expect(clippy::print_stdout, reason = "what it prints is what the test reads")]

use std::error::Error;
use std::io::Read as _;

use kwasm_registry::Registry;

fn main() -> Result<(), Box<dyn Error>> {
    let registries = [Registry::start()?, Registry::with_referrers()?];
    for registry in &registries {
        println!("{} {}", registry.host(), registry.folder().display());
    }
    let _ended = std::io::stdin().read(&mut [0])?;
    Ok(())
}
