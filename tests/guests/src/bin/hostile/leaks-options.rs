//! `leaks-options [COUNT] [PATH]`: sends COUNT requests, 5000 by default, one after the other, each with
//! options of its own, and drops each answer. Succeeds if each was answered, by a server or kwasm: the test
//! is about the memory that stays in the host. Defence: the options of a request are freed with it.

use guests::attempt::{self, Arguments, Request};
use std::time::Duration;

fn main() {
    let usage = "leaks-options [COUNT] [PATH]";
    let [count, path] = Arguments::of(usage).values(["5000", "/version"]);
    let Ok(count) = count.parse::<usize>() else { Arguments::of(usage).wrong() };
    let request = Request::get(&path).within(Duration::from_mins(1));
    let failed =
        (0..count).find_map(|number| request.send().err().map(|why| format!("request {number}: {why}")));
    attempt::tell(failed.map_or_else(|| Ok(format!("{count} answered")), Err))
}
