//! `claims-in-trailers ['NAME: VALUE']`: sends a body followed by a trailer with the name of another user,
//! for a server or proxy that treats trailers as headers. The server's log shows whether it arrived. Defence:
//! trailers are subject to the same rules as headers.

use guests::attempt::{self, Arguments, Request, header_line};

fn main() {
    let usage = "claims-in-trailers ['NAME: VALUE']";
    let [line] = Arguments::of(usage).values(["Impersonate-User: admin"]);
    let Some((name, value)) = header_line(&line) else { Arguments::of(usage).wrong() };
    // Those trailers only that a header announces leave an HTTP/1.1 client such as hyper.
    let request = Request::to("POST", "/sink").header("trailer", name).body("body").trailer(name, value);
    attempt::tell(request.reach())
}
