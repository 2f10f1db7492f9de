//! The interfaces of WASI for tools that make components, so that an author needs no copies of them.

use std::path::Path;

use super::Error;
use crate::platform::disk;

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

/// Writes the world and its packages into a folder, as tools read them.
///
/// # Errors
/// [`Error::Temporary`] if a file cannot be written.
pub(super) fn write(folder: &Path) -> Result<(), Error> {
    let (name, text) = WORLD;
    let deps = folder.join("deps");
    let unwritten = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Temporary { path, source }
    };
    disk::folders(&deps).map_err(unwritten(&deps))?;
    let files = PACKAGES.iter().map(|(name, text)| (deps.join(name), *text));
    for (path, text) in files.chain([(folder.join(name), text)]) {
        disk::replace_soon(&path, text.as_bytes()).map_err(unwritten(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn the_world_is_written_as_tools_read_it() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(folder.path()).unwrap();
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
