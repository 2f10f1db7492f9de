//! `impersonates ['NAME: VALUE']`: sends a request in the name of another user, whom the user may
//! impersonate. Defence: only kwasm states the user.

use guests::attempt::{self, Arguments, Request, header_line};

fn main() {
    let usage = "impersonates ['NAME: VALUE']";
    let [line] = Arguments::of(usage).values(["Impersonate-User: admin"]);
    let Some((name, value)) = header_line(&line) else { Arguments::of(usage).wrong() };
    attempt::tell(Request::get("/version").header(name, value).reach())
}
