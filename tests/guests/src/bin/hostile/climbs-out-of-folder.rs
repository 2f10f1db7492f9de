//! `climbs-out-of-folder PATH`: reads a file by a path that leaves a granted folder by `..`. Defence: a guest
//! stays in the folders that it was granted.

use guests::attempt::{self, Arguments};

fn main() {
    let path = Arguments::of("climbs-out-of-folder PATH").value();
    attempt::tell(attempt::read_file(&path))
}
