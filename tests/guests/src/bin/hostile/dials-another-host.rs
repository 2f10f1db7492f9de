//! `dials-another-host URL`: gets a URL of another host. Defence: a request only reaches the context's
//! cluster and granted hosts.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let url = Arguments::of("dials-another-host URL").value();
    attempt::tell(Request::get(&url).reach())
}
