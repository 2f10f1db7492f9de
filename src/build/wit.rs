//! The interfaces of WASI for tools that make components, so that an author needs no copies of them.

use std::io;
use std::path::{Path, PathBuf};

use crate::platform::disk::Scratch;

/// The packages of WASI by the names of their files below `wit/deps`, each after those that it uses.
pub(super) const PACKAGES: [(&str, &str); 7] = [
    ("io.wit", include_str!("../../wit/deps/io.wit")),
    ("clocks.wit", include_str!("../../wit/deps/clocks.wit")),
    ("random.wit", include_str!("../../wit/deps/random.wit")),
    ("filesystem.wit", include_str!("../../wit/deps/filesystem.wit")),
    ("sockets.wit", include_str!("../../wit/deps/sockets.wit")),
    ("cli.wit", include_str!("../../wit/deps/cli.wit")),
    ("http.wit", include_str!("../../wit/deps/http.wit")),
];

/// The world of plugins, which uses those packages.
const WORLD: (&str, &str) = ("world.wit", include_str!("../../wit/world.wit"));

/// The name of the world.
pub(super) const NAME: &str = "plugin";

/// Writes the world and its packages into a temporary folder, as tools read them. Returns the path of their own folder.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn write(scratch: &Scratch) -> io::Result<PathBuf> {
    let folder = Path::new("wit");
    let (name, text) = WORLD;
    scratch.write(folder.join(name), text.as_bytes())?;
    for (name, text) in PACKAGES {
        scratch.write(folder.join("deps").join(name), text.as_bytes())?;
    }
    Ok(scratch.join(folder))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn the_world_is_written_as_tools_read_it() {
        let scratch = Scratch::new().unwrap();
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(write(&scratch).unwrap()).unwrap();
        resolve.select_world(&[package], Some(NAME)).unwrap();
    }

    #[test]
    fn every_package_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/wit/deps");
        let files =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let embedded = PACKAGES.iter().map(|(name, _)| (*name).to_owned());
        assert_eq!(files.collect::<BTreeSet<_>>(), embedded.collect());
    }
}
