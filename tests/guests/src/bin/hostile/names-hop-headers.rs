//! `names-hop-headers [PATH]`: gets PATH with headers that belong to one connection, and would change kwasm's own with
//! the server; those that wasi:http lets it set. Says which these were; the server's log tells what arrived. They stay
//! where they are: that is the defence.

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
