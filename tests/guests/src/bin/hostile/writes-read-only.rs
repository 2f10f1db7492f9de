//! `writes-read-only FOLDER`: changes a folder that it may only read, in each way that there is. The folder
//! has the files `kept`, `moved` and `removed`, and an empty folder `empty`. Defence: such a folder is read-only.

use guests::attempt::{self, Arguments};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

/// A way to change the folder.
type Way = fn(&Path) -> io::Result<()>;

const WAYS: [(&str, Way); 10] = [
    ("overwrite", |folder| File::options().write(true).open(folder.join("kept"))?.write_all(b"gone")),
    ("append", |folder| File::options().append(true).open(folder.join("kept"))?.write_all(b"more")),
    ("truncate", |folder| File::create(folder.join("kept")).map(drop)),
    ("set times", |folder| File::open(folder.join("kept"))?.set_modified(SystemTime::UNIX_EPOCH)),
    ("create", |folder| File::create_new(folder.join("created")).map(drop)),
    ("make a folder", |folder| fs::create_dir(folder.join("made"))),
    ("link", |folder| fs::hard_link(folder.join("kept"), folder.join("linked"))),
    ("rename", |folder| fs::rename(folder.join("moved"), folder.join("away"))),
    ("remove", |folder| fs::remove_file(folder.join("removed"))),
    ("remove a folder", |folder| fs::remove_dir(folder.join("empty"))),
];

fn main() {
    let folder = Arguments::of("writes-read-only FOLDER").value();
    let ways = WAYS.into_iter().map(|(name, way)| {
        let changed = way(Path::new(&folder)).map(|()| "changed".to_owned());
        (name.to_owned(), changed.map_err(|error| error.to_string()))
    });
    attempt::tell_each(ways)
}
