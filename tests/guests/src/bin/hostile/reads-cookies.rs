//! `reads-cookies [PATH] [--header NAME]`: gets PATH and looks for `set-cookie`, or the header that is named,
//! in the answer. Defence: the session of an authenticating proxy is a credential and does not reach a guest.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let mut arguments = Arguments::of("reads-cookies [PATH] [--header NAME]");
    let name = arguments.option("--header").unwrap_or_else(|| "set-cookie".to_owned());
    let [path] = arguments.values(["/version"]);
    attempt::tell(Request::get(&path).reach_with(|answer| {
        let value = answer.values(&name).next();
        value.map(|value| format!("{name}: {value}")).ok_or_else(|| format!("no {name}"))
    }))
}
