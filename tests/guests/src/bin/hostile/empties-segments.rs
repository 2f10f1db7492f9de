//! `empties-segments [PATH]`: gets a path with an empty segment, which one server takes for nothing and another for a
//! segment. A path has no empty inner segments: that is the defence.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("empties-segments [PATH]").values(["//api/v1/namespaces/shop/configmaps"]);
    attempt::tell(Request::get(&path).reach())
}
