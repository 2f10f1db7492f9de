//! `rebinds-dns URL`: gets a URL whose host was granted, and whose name now means an address of the user's
//! own network. Defence: the address is judged when the name was looked up, and the connection goes to that
//! very address.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let url = Arguments::of("rebinds-dns URL").value();
    attempt::tell(Request::get(&url).reach())
}
