//! `forges-lines`: sends requests that are refused, and whose host, path or query drives a terminal or turns its text
//! around, raw and encoded. Always `done: sent`; what kwasm then tells the user is the point. What the types of wasi:http
//! do not let out of the guest is said before. Texts from outside cannot drive the terminal: that is the defence.

use guests::attempt::{self, Arguments, Request};

/// Of each kind one, so that no limit on the number of kwasm's lines hides any: control characters (C1's CSI with what
/// clears a screen and reddens it, a C1 line end), a direction override with a line separator, and both encoded for
/// whoever shows a path decoded, ESC and a line end among them.
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
