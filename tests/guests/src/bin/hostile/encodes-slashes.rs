//! `encodes-slashes [PATH]`: gets a path with an encoded slash, which is one segment to one server and two to
//! another. Defence: a path has no encoded slashes.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("encodes-slashes [PATH]").values(["/api/v1/namespaces/shop/configmaps%2fdb"]);
    attempt::tell(Request::get(&path).reach())
}
