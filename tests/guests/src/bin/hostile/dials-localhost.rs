//! `dials-localhost URL`: gets a URL of the machine on which kwasm runs, where many a service trusts whoever reaches
//! it. A request goes to what was granted, and no grant makes the user's own network of it: that is the defence.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let url = Arguments::of("dials-localhost URL").value();
    attempt::tell(Request::get(&url).reach())
}
