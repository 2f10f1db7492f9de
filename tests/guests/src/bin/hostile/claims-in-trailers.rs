//! `claims-in-trailers ['NAME: VALUE']`: sends a body and behind it, as a trailer, the name of somebody else, for a
//! server or proxy that takes trailers for headers. The server's log tells whether it arrived. Trailers are held to
//! what holds for headers: that is the defence.

use guests::attempt::{self, Arguments, Request, header_line};

fn main() {
    let usage = "claims-in-trailers ['NAME: VALUE']";
    let [line] = Arguments::of(usage).values(["Impersonate-User: admin"]);
    let Some((name, value)) = header_line(&line) else { Arguments::of(usage).wrong() };
    // Those trailers only that a header announces leave an HTTP/1.1 client such as hyper.
    let request = Request::to("POST", "/sink").header("trailer", name).body("body").trailer(name, value);
    attempt::tell(request.reach())
}
