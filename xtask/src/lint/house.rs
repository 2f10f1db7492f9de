//! Rules that no other tool checks.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use super::{catalogue, wording};
use crate::{places::Places, process};

/// The largest number of lines of a file.
const LINES: usize = 500;

/// Names that do not describe the purpose of a file.
const CATCH_ALLS: [&str; 6] = ["common", "helper", "helpers", "types", "util", "utils"];

/// The largest number of files of one fuzz target's corpus that the fuzzer named, and of files of all
/// corpora.
const CORPUS: (usize, usize) = (30, 330);

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
        if file.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(places.root.join(file))?;
            violations.extend(broken_links(file, &text, |path| places.root.join(path).exists()));
        }
    }
    violations.extend(too_many_inputs(&files));
    violations.extend(catalogue::check(places, &files, &tests(&places.root, &files)?)?);
    if !violations.is_empty() {
        bail!("violations: {}\n{}", violations.len(), violations.join("\n"));
    }
    Ok(())
}

/// Returns all files that are, or would be, checked in, relative to the root.
pub(super) fn sources(root: &Path) -> Result<Vec<PathBuf>> {
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

/// Corpora that are to be minimised, as `tests/fuzz/README.md` says. What has a name was written by hand, and stays.
fn too_many_inputs(files: &[PathBuf]) -> Vec<String> {
    let (each, all) = CORPUS;
    let mut targets: BTreeMap<&Path, usize> = BTreeMap::new();
    let mut total = 0;
    for file in files {
        let Ok(input) = file.strip_prefix("tests/fuzz/corpus") else { continue };
        total += 1;
        if let (Some(target), true) = (input.parent(), is_generated(input)) {
            *targets.entry(target).or_default() += 1;
        }
    }
    let over = targets.into_iter().filter(|(_, count)| *count > each);
    let mut violations: Vec<String> = over
        .map(|(target, count)| {
            format!("tests/fuzz/corpus/{}: {count} generated files, {each} at most", target.display())
        })
        .collect();
    if total > all {
        violations.push(format!("tests/fuzz/corpus: {total} files, {all} at most"));
    }
    violations
}

/// libFuzzer names an input after its SHA-1.
fn is_generated(input: &Path) -> bool {
    let name = input.file_name().unwrap_or_default().to_string_lossy();
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Links of a page that lead to no file of this repository.
fn broken_links(page: &Path, text: &str, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let inside = links.filter(|link| !link.is_empty() && !link.contains("://"));
    let folder = page.parent().unwrap_or(Path::new(""));
    inside
        .filter(|link| !exists(&folder.join(link)))
        .map(|link| format!("{}: a link to {link}, which is not there", page.display()))
        .collect()
}

/// The code of all tests.
fn tests(root: &Path, files: &[PathBuf]) -> Result<String> {
    let mut tests = String::new();
    for file in files.iter().filter(|file| file.starts_with("tests") && is_code(file)) {
        tests.push_str(&fs::read_to_string(root.join(file))?);
    }
    Ok(tests)
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
    fn a_link_to_a_file_that_is_not_there_is_found() {
        let text = "[a](../README.md), [b](#there), [c](https://example.com/x), [d](away.md#part)";
        let broken = broken_links(Path::new(".github/PAGE.md"), text, |path| path.ends_with("README.md"));
        assert_eq!(broken, [".github/PAGE.md: a link to away.md, which is not there"]);
    }

    #[test]
    fn a_corpus_with_more_than_its_share_is_found() {
        let input = |name: String| Path::new("tests/fuzz/corpus/door").join(name);
        let generated = |count: usize| (0..count).map(|n| input(format!("{n:040x}"))).collect::<Vec<_>>();
        assert_eq!(too_many_inputs(&generated(30)), [""; 0]);
        assert_eq!(
            too_many_inputs(&generated(31)),
            ["tests/fuzz/corpus/door: 31 generated files, 30 at most"]
        );
        let named: Vec<_> = (0..331).map(|n| input(format!("case-{n}"))).collect();
        assert_eq!(too_many_inputs(&named), ["tests/fuzz/corpus: 331 files, 330 at most"]);
    }

    #[test]
    fn a_compiled_guest_is_found() {
        assert!(misnamed(Path::new("tests/fixtures/hello.wasm")).is_some());
    }
}
