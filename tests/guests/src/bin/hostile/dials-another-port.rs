//! `dials-another-port URL`: gets a URL of the API server's own host, but of another port, at which another
//! service of the user's may listen. Defence: an endpoint is scheme, host and port.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let url = Arguments::of("dials-another-port URL").value();
    attempt::tell(Request::get(&url).reach())
}
