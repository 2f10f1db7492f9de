//! `empties-segments [PATH]`: gets a path with an empty segment, which some servers ignore and others do not.
//! Defence: a path has no empty inner segments.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("empties-segments [PATH]").values(["//api/v1/namespaces/shop/configmaps"]);
    attempt::tell(Request::get(&path).reach())
}
