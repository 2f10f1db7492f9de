//! `reads-another-group [PATH]`: lists deployments. A rule covers its own API groups only: that is the defence.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] =
        Arguments::of("reads-another-group [PATH]").values(["/apis/apps/v1/namespaces/shop/deployments"]);
    attempt::tell(Request::get(&path).reach())
}
