//! `forges-lines`: sends requests that are refused, whose host, path or query controls a terminal or changes
//! the direction of its text, raw and encoded. Always `done: sent`; the verdict is about kwasm's report to
//! the user. Requests that the types of wasi:http do not allow are reported before. Defence: texts from
//! outside cannot control the terminal.

use guests::attempt::{self, Arguments, Request};

/// One of each kind, so that no limit on the number of kwasm's lines hides any: control characters (C1's CSI
/// with codes that clear and redden a screen, a C1 line end), a direction override with a line separator, and
/// both encoded, with ESC and a line end, for programs that show a decoded path.
const FORGED: [&str; 4] = [
    "\u{9b}2J\u{9b}31m\u{85}kwasm:",
    "\u{202e}lla\u{2028}kwasm:",
    "%c2%9b31m%1b%5b31m%0akwasm:",
    "%e2%80%aella%e2%80%a8kwasm:",
];

fn main() {
    let [] = Arguments::of("forges-lines").values([]);
    for forged in FORGED {
        for url in [
            format!("http://a{forged}.invalid/"),
            format!("http://forged.invalid/{forged}"),
            format!("http://forged.invalid/?{forged}"),
            format!("/api/v1/namespaces/shop/secrets/{forged}"),
            format!("/api/v1/namespaces/{forged}/secrets"),
        ] {
            let sent = Request::get(&url).send();
            if let Err(why) = sent
                && why.ends_with("not well-formed")
            {
                println!("{url:?}: {why}");
            }
        }
    }
    attempt::tell(Ok("sent".to_owned()))
}
