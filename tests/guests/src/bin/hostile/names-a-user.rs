//! `names-a-user [URL]`: gets a URL that holds a user name and a password, which some clients turn into an
//! `Authorization` of their own, and others into another host. Defence: an address has no user name.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [url] = Arguments::of("names-a-user [URL]").values(["http://admin:secret@192.0.2.1/version"]);
    attempt::tell(Request::get(&url).reach())
}
