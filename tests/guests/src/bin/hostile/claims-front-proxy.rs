//! `claims-front-proxy ['NAME: VALUE']`: says, as an authenticating front proxy would, that it is somebody else. kwasm
//! alone says who is asking: that is the defence.

use guests::attempt::{self, Arguments, Request, header_line};

fn main() {
    let usage = "claims-front-proxy ['NAME: VALUE']";
    let [line] = Arguments::of(usage).values(["X-Remote-User: admin"]);
    let Some((name, value)) = header_line(&line) else { Arguments::of(usage).wrong() };
    attempt::tell(Request::get("/version").header(name, value).reach())
}
