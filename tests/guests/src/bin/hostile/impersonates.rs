//! `impersonates ['NAME: VALUE']`: asks the cluster in the name of somebody else, whom the user may speak for. kwasm
//! alone says who is asking: that is the defence.

use guests::attempt::{self, Arguments, Request, header_line};

fn main() {
    let usage = "impersonates ['NAME: VALUE']";
    let [line] = Arguments::of(usage).values(["Impersonate-User: admin"]);
    let Some((name, value)) = header_line(&line) else { Arguments::of(usage).wrong() };
    attempt::tell(Request::get("/version").header(name, value).reach())
}
