//! `floods-requests [COUNT] [PATH]`: begins COUNT requests, 100 watches by default, and keeps all answers
//! without reading them. Succeeds if a server answered each. Defence: the number of requests in flight is
//! limited.

use guests::attempt::{self, Answer, Arguments, Request, Sent};
use std::time::Duration;

fn main() {
    let usage = "floods-requests [COUNT] [PATH]";
    let [count, path] = Arguments::of(usage).values(["100", "/api/v1/namespaces/shop/configmaps?watch=1"]);
    let Ok(count) = count.parse::<usize>() else { Arguments::of(usage).wrong() };
    // Requests that have to wait for the others to end would wait forever.
    let request = Request::get(&path).within(Duration::from_secs(20));
    let sent: Vec<Result<Sent, String>> = (0..count).map(|_| request.start()).collect();
    let answers: Vec<Result<Answer, String>> =
        sent.into_iter().map(|sent| sent.and_then(Sent::answer).and_then(Answer::of_server)).collect();
    let answered = answers.iter().filter(|answer| answer.is_ok()).count();
    let told = format!("{answered} of {count} answered");
    attempt::tell(match answers.iter().find_map(|answer| answer.as_ref().err()) {
        None => Ok(told),
        Some(why) => Err(format!("{told}; the first of the others: {why}")),
    })
}
