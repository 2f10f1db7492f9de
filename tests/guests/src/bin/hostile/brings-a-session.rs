//! `brings-a-session [PATH]`: gets PATH with a session of its own choice, and with a history that the request does not
//! have. The server's log tells what arrived. Such headers do not leave: that is the defence.

use guests::attempt::{self, Arguments, Request};

const HEADERS: [(&str, &str); 4] = [
    ("cookie", "session=stolen"),
    ("forwarded", "for=10.0.0.1"),
    ("x-forwarded-for", "10.0.0.1"),
    ("via", "1.1 trusted"),
];

fn main() {
    let [path] = Arguments::of("brings-a-session [PATH]").values(["/version"]);
    attempt::tell(Request::get(&path).reach_with_settable(&HEADERS))
}
