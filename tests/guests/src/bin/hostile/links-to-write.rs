//! `links-to-write FROM TO`: makes TO another name of a file that it may only read, in a folder that it may
//! write to, and overwrites that. Defence: a folder that was granted to be read is not changed, under any name.

use guests::attempt::{self, Arguments};
use std::fs;

fn main() {
    let [from, to] = Arguments::of("links-to-write FROM TO").values(["", ""]);
    let written = fs::hard_link(&from, &to).and_then(|()| fs::write(&to, "overwritten"));
    attempt::tell(written.map_err(|error| format!("{to}: {error}")).and_then(|()| attempt::read_file(&from)))
}
