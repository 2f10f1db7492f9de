//! `is-redirected [PATH]`: gets PATH, which a server answers by a redirect to where a guest may not go. Gets what it
//! wants if the answer is a 200, that is, if the host followed for it. A redirect is handed to the guest, and what it
//! leads to is a request of its own: that is the defence.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [path] = Arguments::of("is-redirected [PATH]").values(["/version"]);
    attempt::tell(Request::get(&path).send().and_then(|mut answer| match answer.status() {
        200 => Ok(format!("status 200: {}", answer.text())),
        300..=399 => {
            let target = answer.values("location").next().unwrap_or_default();
            Err(format!("{}: not followed to {target}", answer.shown()))
        }
        _ => Err(answer.shown()),
    }))
}
