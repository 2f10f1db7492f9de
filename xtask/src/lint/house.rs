//! Rules that no tool knows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use super::wording;
use crate::{cargo, components, places::Places, process};

/// The longest file, in lines.
const LINES: usize = 500;

/// Names that say nothing of what a file is for.
const CATCH_ALLS: [&str; 6] = ["common", "helper", "helpers", "types", "util", "utils"];

/// Checks all rules and names each violation.
pub(crate) fn check(places: &Places) -> Result<()> {
    let files = sources(&places.root)?;
    let mut violations = Vec::new();
    for file in &files {
        violations.extend(misnamed(file));
        if is_code(file) {
            let text = fs::read_to_string(places.root.join(file))?;
            violations.extend(too_long(file, &text));
            if wording::is_checked(file) {
                violations.extend(wording::check(file, &text));
            }
        }
    }
    violations.extend(untested(places, &files)?);
    if !violations.is_empty() {
        bail!("violations: {}\n{}", violations.len(), violations.join("\n"));
    }
    Ok(())
}

/// All files that are, or would be, checked in, relative to the root.
fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let names = process::output(&mut git)?;
    let files = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    // A file that was removed stays in git's list until that is checked in.
    Ok(files.filter(|file| root.join(file).is_file()).collect())
}

fn is_code(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs" || extension == "go")
}

fn too_long(file: &Path, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > LINES).then(|| format!("{}: {lines} lines, {LINES} at most", file.display()))
}

fn misnamed(file: &Path) -> Option<String> {
    let extension = file.extension().unwrap_or_default();
    if extension == "wasm" || extension == "cwasm" {
        return Some(format!("{}: guests are compiled, not checked in", file.display()));
    }
    let catch_all = file.with_extension("").components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        CATCH_ALLS.contains(&&*name)
    });
    (catch_all && is_code(file))
        .then(|| format!("{}: a name that does not say what the file is for", file.display()))
}

/// Guests that no test of the host names.
fn untested(places: &Places, files: &[PathBuf]) -> Result<Vec<String>> {
    let mut tests = String::new();
    for file in files.iter().filter(|file| file.starts_with("tests") && is_code(file)) {
        tests.push_str(&fs::read_to_string(places.root.join(file))?);
    }
    let missing = guests(places)?.into_iter().filter(|guest| !names(&tests, guest));
    Ok(missing.map(|guest| format!("components/{guest}: no test in tests/ names it")).collect())
}

fn names(tests: &str, guest: &str) -> bool {
    tests.contains(&format!("\"{guest}\"")) || tests.contains(&format!("{guest}.wasm\""))
}

/// The programs among the guests, those that are made in another way under the names that they get.
fn guests(places: &Places) -> Result<Vec<String>> {
    let metadata = cargo::metadata(&places.guests())?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let mut programs: Vec<String> = targets
        .filter(|target| target["kind"][0] == "bin")
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect();
    programs.extend(components::core_names());
    programs.push("hello-cargo-component".to_owned());
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let file = Path::new("src/gate.rs");
        assert_eq!(too_long(file, &"\n".repeat(LINES)), None);
        assert_eq!(too_long(file, &"\n".repeat(LINES + 1)).unwrap(), "src/gate.rs: 501 lines, 500 at most");
    }

    #[test]
    fn a_catch_all_is_found_as_file_and_as_folder() {
        assert!(misnamed(Path::new("src/gate/utils.rs")).is_some());
        assert!(misnamed(Path::new("src/common/tls.rs")).is_some());
        assert!(misnamed(Path::new("src/gate/tls.rs")).is_none());
        assert!(misnamed(Path::new("wit/deps/http/types.wit")).is_none());
    }

    #[test]
    fn a_compiled_guest_is_found() {
        assert!(misnamed(Path::new("tests/fixtures/hello.wasm")).is_some());
    }

    #[test]
    fn a_test_names_a_guest_by_its_whole_name() {
        assert!(names(r#"Kwasm::new().plugin("dials")"#, "dials"));
        assert!(names(r#"components().join("dials.wasm")"#, "dials"));
        assert!(!names(r#"Kwasm::new().plugin("dials-elsewhere")"#, "dials"));
    }
}
