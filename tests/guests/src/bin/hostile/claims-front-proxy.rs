//! `claims-front-proxy ['NAME: VALUE']`: claims to be another user, as an authenticating front proxy would.
//! Defence: only kwasm states the user.

use guests::attempt::{self, Arguments, Request, header_line};

fn main() {
    let usage = "claims-front-proxy ['NAME: VALUE']";
    let [line] = Arguments::of(usage).values(["X-Remote-User: admin"]);
    let Some((name, value)) = header_line(&line) else { Arguments::of(usage).wrong() };
    attempt::tell(Request::get("/version").header(name, value).reach())
}
