//! `is-redirected [PATH]`: gets PATH, which a server answers with a redirect to a host that the guest must
//! not reach. Succeeds if the answer is 200, i.e. if the host followed the redirect. Defence: a redirect is
//! passed to the guest, and following it is a request of its own.

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
