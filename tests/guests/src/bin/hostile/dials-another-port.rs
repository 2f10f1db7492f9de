//! `dials-another-port URL`: gets a URL of the API server's own host, but of another port, behind which something else
//! of the user's may listen. An endpoint is scheme, host and port: that is the defence.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let url = Arguments::of("dials-another-port URL").value();
    attempt::tell(Request::get(&url).reach())
}
