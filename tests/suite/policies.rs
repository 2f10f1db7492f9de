//! Tests of policy files: a fault is reported with file, line, key and remedy, and the built-in policies are
//! valid.

mod files;
mod folders;
mod head;
mod hosts;
mod limits;
mod rules;
mod schema;
mod view;

use crate::support::{Kwasm, Run};

/// The beginning of every policy in these tests: three lines.
const HEAD: &str = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}\n";

/// Returns a policy with this `spec`, which begins in line 5.
fn with_spec(spec: &str) -> String {
    format!("{HEAD}spec:\n{spec}\n")
}

/// Checks a file of this content.
fn check(content: impl AsRef<[u8]>) -> Run {
    let kwasm = Kwasm::new();
    std::fs::write(kwasm.home().join("bad.yaml"), content).unwrap();
    kwasm.call(["policy", "check", "bad.yaml"])
}

/// Returns the messages about each of these files, with their names here in place of their paths.
#[track_caller]
fn told<S: AsRef<[u8]>>(cases: &[(&str, S)]) -> String {
    let mut told = String::new();
    for (case, content) in cases {
        let run = check(content);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{case}: {}", run.shown());
        assert_form(&run);
        told.extend(["# ", case, "\n", &run.stderr]);
    }
    told
}

/// Checks that each fault names file, line and, unless the whole file is meant, key, and is followed by its
/// remedy.
#[track_caller]
fn assert_form(run: &Run) {
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(!lines.is_empty() && lines.len().is_multiple_of(2), "{}", run.shown());
    for pair in lines.chunks(2) {
        let place = pair[0].strip_prefix("kwasm: bad.yaml:").and_then(|rest| rest.split_once(": "));
        let (line, rest) = place.unwrap_or_else(|| panic!("{}", run.shown()));
        assert!(line.parse::<u32>().is_ok_and(|line| line > 0), "{}", run.shown());
        let of_the_file = rest.starts_with("it is ") || rest.starts_with("a second document ");
        let key = rest.split_once(": ").is_some_and(|(key, _)| !key.contains(' '));
        assert!(of_the_file != key, "{}", run.shown());
        assert!(pair[1].starts_with("hint: "), "{}", run.shown());
    }
}
