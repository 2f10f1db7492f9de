//! `reads-environment [NAME]`: reads a variable of the user, `HOME` by default. Defence: a guest gets a
//! chosen few variables, about the terminal and the language.

use guests::attempt::{self, Arguments};

fn main() {
    let [name] = Arguments::of("reads-environment [NAME]").values(["HOME"]);
    let value = std::env::var(&name).map_err(|error| format!("{name}: {error}"));
    attempt::tell(value.map(|value| format!("{name}={value}")))
}
