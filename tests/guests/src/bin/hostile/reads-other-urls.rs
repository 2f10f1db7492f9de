//! `reads-other-urls [PATH]`: gets the API server's metrics. Defence: a rule covers its own URLs only.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("reads-other-urls [PATH]").values(["/metrics"]);
    attempt::tell(Request::get(&path).reach())
}
