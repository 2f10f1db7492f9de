//! `dials-localhost URL`: gets a URL of the machine on which kwasm runs, where many services trust everyone
//! who reaches them. Defence: a request only reaches granted hosts, and no grant makes one lead to the user's
//! own network.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let url = Arguments::of("dials-localhost URL").value();
    attempt::tell(Request::get(&url).reach())
}
