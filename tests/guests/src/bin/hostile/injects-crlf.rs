//! `injects-crlf [PATH]`: puts a line end followed by `Impersonate-User: admin` into each part of a request:
//! a header's value and name, the method, the authority, the path, and encoded in the path. With PATH, only
//! that path is tried. Defences: a path has no control characters, encoded or not, and the types of wasi:http
//! refuse the rest.

use guests::attempt::{self, Arguments, CLUSTER, Request};

const ENCODED: &str = "/version%0d%0aImpersonate-User:%20admin";

fn main() {
    let [path] = Arguments::of("injects-crlf [PATH]").values([""]);
    if !path.is_empty() {
        attempt::tell(Request::get(&path).reach())
    }
    let plain = Request::get("/version");
    let line = "x\r\nImpersonate-User: admin";
    let ways = [
        ("in a value", plain.clone().header("x-own", line)),
        ("in a value, without CR", plain.clone().header("x-own", "x\nImpersonate-User: admin")),
        ("in a name", plain.clone().header("x-own: x\r\nimpersonate-user", "admin")),
        ("in the method", Request { method: format!("GET /version HTTP/1.1\r\nX: {line}"), ..plain.clone() }),
        ("in the authority", Request { authority: Some(format!("192.0.2.1\r\nX: {line}")), ..plain }),
        ("in the path", Request::new("GET", &format!("{CLUSTER}/version HTTP/1.1\r\nX: {line}\r\nX: "))),
        ("in the query", Request::new("GET", &format!("{CLUSTER}/version?a HTTP/1.1\r\nX: {line}\r\nX: "))),
        ("encoded in the path", Request::get(ENCODED)),
    ];
    attempt::tell_each(ways.iter().map(|(way, request)| ((*way).to_owned(), request.reach())))
}
