//! `reads-credential-variables NAME`: reads a variable that looks like a credential, under a policy that grants
//! a pattern. Defence: a pattern passes no such variable.

use guests::attempt::{self, Arguments};

fn main() {
    let name = Arguments::of("reads-credential-variables NAME").value();
    let value = std::env::var(&name).map_err(|error| format!("{name}: {error}"));
    attempt::tell(value.map(|value| format!("{name}={value}")))
}
