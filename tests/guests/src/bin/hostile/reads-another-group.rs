//! `reads-another-group [PATH]`: lists deployments. Defence: a rule covers its own API groups only.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] =
        Arguments::of("reads-another-group [PATH]").values(["/apis/apps/v1/namespaces/shop/deployments"]);
    attempt::tell(Request::get(&path).reach())
}
