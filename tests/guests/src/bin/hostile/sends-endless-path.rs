//! `sends-endless-path [LENGTH]`: gets a path of LENGTH bytes, 20000 by default. Defence: the length of a
//! path is limited.

use guests::attempt::{self, Arguments, Request};

const BEGINNING: &str = "/api/v1/namespaces/";

fn main() {
    let length: usize = Arguments::of("sends-endless-path [LENGTH]").number("20000");
    let name = "a".repeat(length.saturating_sub(BEGINNING.len()));
    attempt::tell(Request::get(&format!("{BEGINNING}{name}")).reach())
}
