//! The catalogue of the test guests, `tests/guests/README.md`: each program is in it, with a test that runs it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    components::{self, Guest},
    places::Places,
};

/// Checks that each guest has its test, its line in the catalogue and its place in the manifest.
pub(crate) fn check(places: &Places, files: &[PathBuf], tests: &str) -> Result<Vec<String>> {
    let plugins = components::list(&places.plugins())?;
    let guests = components::list(&places.guests())?;
    let mut violations = untested(&plugins, &guests, tests);
    let catalogue = Catalogue::read(places)?;
    for guest in &guests {
        violations.extend(catalogue.lacks(&guest.name));
        violations.extend(unbuilt_tests(places, files, guest)?);
    }
    violations.extend(unlisted(places, files, &guests));
    Ok(violations)
}

/// Guests that no test of the host names, those that are made in another way under the names that they get.
fn untested(plugins: &[Guest], guests: &[Guest], tests: &str) -> Vec<String> {
    let programs = plugins.iter().chain(guests).map(|guest| guest.name.clone());
    let programs = programs.chain(components::core_names()).chain([components::ADAPTED.to_owned()]);
    programs
        .filter(|guest| !names(tests, guest))
        .map(|guest| format!("the guest {guest}: no test in tests/ names it"))
        .collect()
}

fn names(tests: &str, guest: &str) -> bool {
    tests.contains(&format!("\"{guest}\"")) || tests.contains(&format!("{guest}.wasm\""))
}

/// Sources that the manifest does not list: cargo would not build them.
fn unlisted(places: &Places, files: &[PathBuf], guests: &[Guest]) -> Vec<String> {
    let programs = files.iter().filter(|file| is_program(file)).map(|file| places.root.join(file));
    programs
        .filter(|file| !guests.iter().any(|guest| guest.source == *file))
        .map(|file| format!("{}: no program of tests/guests/Cargo.toml", file.display()))
        .collect()
}

/// Returns whether a file is `src/bin/KIND/NAME.rs` or `src/bin/KIND/NAME/main.rs`.
fn is_program(file: &Path) -> bool {
    let Ok(below) = file.strip_prefix("tests/guests/src/bin") else { return false };
    match below.components().count() {
        2 => below.extension().is_some_and(|extension| extension == "rs"),
        _ => below.ends_with("main.rs"),
    }
}

/// Finds a guest with tests that the manifest excludes from cargo's.
fn unbuilt_tests(places: &Places, files: &[PathBuf], guest: &Guest) -> Result<Option<String>> {
    if guest.tested {
        return Ok(None);
    }
    let source = guest.source.strip_prefix(&places.root).unwrap_or(&guest.source);
    let folder = source.ends_with("main.rs").then(|| source.parent()).flatten();
    let is_of_guest =
        |file: &&PathBuf| *file == source || folder.is_some_and(|folder| file.starts_with(folder));
    for file in files.iter().filter(is_of_guest) {
        if fs::read_to_string(places.root.join(file))?.contains("#[cfg(test)]") {
            return Ok(Some(format!("{}: its tests are `test = false` in the manifest", file.display())));
        }
    }
    Ok(None)
}

/// The lines of the catalogue's tables, and where they lead from.
struct Catalogue {
    folder: PathBuf,
    text: String,
}

impl Catalogue {
    fn read(places: &Places) -> Result<Self> {
        let folder = places.guests();
        let path = folder.join("README.md");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { folder, text })
    }

    /// Returns the defect of a guest's line, whose last column has to link to a test that mentions the guest.
    fn lacks(&self, guest: &str) -> Option<String> {
        let is_of_guest = |line: &&str| {
            let cell = line.strip_prefix("| ").and_then(|line| line.split(" | ").next()).unwrap_or_default();
            cell.split('`').skip(1).step_by(2).any(|code| code.split(' ').next() == Some(guest))
        };
        let Some(line) = self.text.lines().find(is_of_guest) else {
            return Some(format!("tests/guests/README.md: no line for {guest}"));
        };
        let mut links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let runs =
            |link: &str| fs::read_to_string(self.folder.join(link)).is_ok_and(|test| names(&test, guest));
        (!links.any(runs)).then(|| format!("tests/guests/README.md: {guest} links to no test that names it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_names_a_guest_by_its_whole_name() {
        assert!(names(r#"Kwasm::new().plugin("dials")"#, "dials"));
        assert!(names(r#"components().join("dials.wasm")"#, "dials"));
        assert!(!names(r#"Kwasm::new().plugin("dials-elsewhere")"#, "dials"));
    }

    #[test]
    fn a_guest_is_a_file_or_the_main_file_of_a_folder() {
        let is = |file: &str| is_program(&Path::new("tests/guests/src/bin").join(file));
        assert!(is("hostile/traces.rs") && is("ordinary/dials/main.rs"));
        assert!(!is("ordinary/dials/request.rs"));
        assert!(!is_program(Path::new("tests/guests/src/lib.rs")));
    }

    #[test]
    fn a_guest_without_a_line_or_a_test_is_found() {
        let folder = std::env::temp_dir().join(format!("kwasm-xtask-catalogue-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("ends.rs"), r#"run("traps"); run("sleeps")"#).unwrap();
        let text = "| `traps`, `exits CODE` | ends | [ends.rs](ends.rs) |".to_owned();
        let catalogue = Catalogue { folder: folder.clone(), text };
        assert_eq!(catalogue.lacks("traps"), None);
        assert_eq!(
            catalogue.lacks("exits").unwrap(),
            "tests/guests/README.md: exits links to no test that names it"
        );
        assert_eq!(catalogue.lacks("sleeps").unwrap(), "tests/guests/README.md: no line for sleeps");
        fs::remove_dir_all(&folder).unwrap();
    }
}
