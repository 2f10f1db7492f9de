//! `reads-challenges [PATH] [--any]`: gets PATH and looks in the answer for a `www-authenticate` of another
//! scheme than Basic and Bearer, such as `Negotiate TOKEN`; with `--any` each will do. Defence: a challenge
//! that carries a token does not reach a guest.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let mut arguments = Arguments::of("reads-challenges [PATH] [--any]");
    let any = arguments.flag("--any");
    let [path] = arguments.values(["/version"]);
    attempt::tell(Request::get(&path).reach_with(|answer| {
        let mut challenges = answer.values("www-authenticate");
        challenges.find(|challenge| any || !is_plain(challenge)).ok_or_else(|| "no such challenge".to_owned())
    }))
}

fn is_plain(challenge: &str) -> bool {
    let scheme = challenge.split_whitespace().next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("basic") || scheme.eq_ignore_ascii_case("bearer")
}
