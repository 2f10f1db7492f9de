//! `deletes-a-collection [PATH]`: deletes all config maps of a namespace. Defence: deleting a collection is a
//! verb of its own.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("deletes-a-collection [PATH]").values(["/api/v1/namespaces/shop/configmaps"]);
    attempt::tell(Request::to("DELETE", &path).reach())
}
