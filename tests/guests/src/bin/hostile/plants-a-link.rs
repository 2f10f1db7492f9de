//! `plants-a-link FOLDER TARGET`: makes a link to TARGET in a granted folder, `planted`, and reads what is
//! there. Defence: a guest stays in the folders that it was granted, whatever links it makes.

use guests::attempt::{self, Arguments};
use wasip2::filesystem::preopens;
use wasip2::filesystem::types::Descriptor;

fn main() {
    attempt::import_http();
    let arguments = Arguments::of("plants-a-link FOLDER TARGET");
    let [folder, target] = arguments.values(["", ""]);
    attempt::tell(plant(&folder, &target))
}

fn plant(folder: &str, target: &str) -> Result<String, String> {
    let path = format!("{folder}/planted");
    let (given, below) = given(&path).ok_or_else(|| format!("{folder}: no such folder was granted"))?;
    // One of an earlier run.
    let _: Result<(), _> = given.unlink_file_at(&below);
    given.symlink_at(target, &below).map_err(|code| format!("{path}: {}", code.name()))?;
    attempt::read_file(&path)
}

/// Returns the granted folder that contains a path, and the rest of the path.
fn given(path: &str) -> Option<(Descriptor, String)> {
    let folders = preopens::get_directories().into_iter();
    let below = |name: &str| path.strip_prefix(name).map(|rest| rest.trim_start_matches('/').to_owned());
    let mut given: Vec<_> = folders.filter_map(|(folder, name)| Some((folder, below(&name)?))).collect();
    given.sort_by_key(|(_, rest)| rest.len());
    given.into_iter().next()
}
