//! `follows-a-link PATH`: reads a file through a link in a granted folder, or through a granted folder that is
//! a link itself. Defences: a guest stays in the folders that it was granted, and these are where their paths
//! say.

use guests::attempt::{self, Arguments};

fn main() {
    let path = Arguments::of("follows-a-link PATH").value();
    attempt::tell(attempt::read_file(&path))
}
