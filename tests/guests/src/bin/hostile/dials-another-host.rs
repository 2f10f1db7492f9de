//! `dials-another-host URL`: gets a URL of another host. A request goes to the context's cluster and to what was
//! granted, and nowhere else: that is the defence.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let url = Arguments::of("dials-another-host URL").value();
    attempt::tell(Request::get(&url).reach())
}
