//! `brings-a-session [PATH]`: gets PATH with a session of its own choice and a forged origin. The server's
//! log shows what arrived. Defence: such headers are not sent.

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
