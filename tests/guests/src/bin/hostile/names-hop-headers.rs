//! `names-hop-headers [PATH]`: gets PATH with those hop-by-hop headers that wasi:http lets it set, which
//! would change kwasm's own connection to the server. Prints their names; the server's log shows what
//! arrived. Defence: they are not forwarded.

use guests::attempt::{self, Arguments, Request};

const HEADERS: [(&str, &str); 9] = [
    ("te", "trailers"),
    ("trailer", "x"),
    ("keep-alive", "timeout=600"),
    ("connection", "keep-alive"),
    ("proxy-authorization", "Basic YWRtaW46c2VjcmV0"),
    ("proxy-authenticate", "Basic"),
    ("proxy-connection", "keep-alive"),
    ("upgrade", "websocket"),
    ("http2-settings", "AAMAAABkAAQAAP__"),
];

fn main() {
    let [path] = Arguments::of("names-hop-headers [PATH]").values(["/version"]);
    attempt::tell(Request::get(&path).reach_with_settable(&HEADERS))
}
