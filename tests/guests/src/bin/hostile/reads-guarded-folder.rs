//! `reads-guarded-folder PATH`: reads a file with credentials out of a folder that its policy grants, such as
//! the home directory. Defence: no plugin is started with a folder that contains credentials.

use guests::attempt::{self, Arguments};

fn main() {
    let path = Arguments::of("reads-guarded-folder PATH").value();
    attempt::tell(attempt::read_file(&path))
}
