//! `floods-questions [COUNT]`: begins COUNT requests at once, 14 by default, each for another object, about each of which
//! the user would be asked. Always `done`. Defence: the number of questions that a guest can make its user answer is
//! limited.

use guests::attempt::{self, Arguments, Request, Sent};

fn main() {
    let count: usize = Arguments::of("floods-questions [COUNT]").number("14");
    let path = |number: usize| format!("/api/v1/namespaces/shop/configmaps/flood-{number}");
    let sent: Vec<Result<Sent, String>> =
        (0..count).map(|number| Request::get(&path(number)).start()).collect();
    let answered =
        sent.into_iter().filter_map(|sent| sent.and_then(Sent::answer).ok()?.of_server().ok()).count();
    attempt::tell(Ok(format!("{answered} of {count} answered")))
}
