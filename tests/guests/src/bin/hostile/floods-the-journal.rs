//! `floods-the-journal [COUNT]`: sends COUNT requests to as many hosts, 100 by default, each of which is
//! refused and reported to the user on a line of its own. Always `done`. Defence: the number of lines about
//! one run is limited.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let count: usize = Arguments::of("floods-the-journal [COUNT]").number("100");
    let refused = (0..count)
        .filter(|number| Request::get(&format!("http://host-{number}.invalid/")).reach().is_err())
        .count();
    attempt::tell(Ok(format!("{refused} of {count} refused")))
}
