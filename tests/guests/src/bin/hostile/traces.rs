//! `traces [METHOD] [PATH]`: sends TRACE, which a proxy on the way would answer with the request as it got
//! it, the credentials that kwasm added among it. Defence: TRACE and CONNECT do not leave.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [method, path] = Arguments::of("traces [METHOD] [PATH]").values(["TRACE", "/version"]);
    attempt::tell(Request::to(&method, &path).reach())
}
