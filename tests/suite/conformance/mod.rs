//! Tests that kwasm treats kubeconfigs, variables and flags like kubectl: a table of cases, each run by both,
//! with servers that record requests.

mod case;
mod cases;
mod differences;
mod lab;
mod secrets;
mod seen;
mod stated;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use kwasm_cluster::{Assets, Program, default_cache};

use self::case::{Case, Outcome};
use self::lab::{Done, Lab};
use crate::support::{Kwasm, skip};

/// Returns the kubectl of the real control plane, for which none has to run.
fn kubectl(test: &str) -> Option<PathBuf> {
    let assets =
        Assets::find_or_build(&default_cache()).inspect_err(|reason| skip(test, &reason.to_string()));
    assets.ok()?.program(Program::Kubectl)
}

/// Runs a function with each case, on as many threads as there are processors, each with servers of its own.
fn each(cases: &[Case], act: impl Fn(&Lab, &Case) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(2, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let lab = Lab::new();
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    act(&lab, case);
                }
            });
        }
    });
}

/// Runs each case, and gathers what is wrong with it.
#[track_caller]
fn holds(cases: &[Case], check: impl Fn(&Lab, &Case) -> Result<(), String> + Sync) {
    let wrong = Mutex::new(Vec::new());
    each(cases, |lab, case| {
        if let Err(why) = check(lab, case) {
            wrong.lock().unwrap().push(format!("{} {:?}: {why}", case.name, case.flags));
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

impl Done {
    fn is_as(&self, wanted: &Outcome) -> Result<(), String> {
        let ended = self.outcome();
        if ended.is_as(wanted) {
            Ok(())
        } else {
            Err(format!("\n    wanted {wanted:?}\n     ended {ended:?}"))
        }
    }
}

#[test]
fn kubectl_does_what_the_table_says() {
    let Some(kubectl) = kubectl("conformance::kubectl_does_what_the_table_says") else { return };
    holds(&cases::all(), |lab, case| {
        let folder = lab.folder(case);
        lab.kubectl(&kubectl, case, folder.path()).is_as(&case.kubectl)
    });
}

#[test]
fn kwasm_does_what_the_table_says() {
    let kwasm = Kwasm::new();
    holds(&cases::all(), |lab, case| {
        let folder = lab.folder(case);
        lab.kwasm(&kwasm, case, folder.path()).is_as(&case.kwasm)
    });
}

#[test]
fn what_no_case_shows_is_in_the_page_of_differences() {
    let page = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/conformance/README.md"),
    )
    .unwrap();
    for row in differences::UNSHOWN {
        assert!(page.lines().any(|line| line.starts_with(&format!("| {row}"))), "{row}");
    }
    let number = cases::all().len();
    assert!(page.contains(&format!("in {number} cases")), "{number}");
}

#[test]
fn the_table_is_large_and_says_of_each_difference_why() {
    let cases = cases::all();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "each case has a name of its own");
    assert!(cases.len() > 400);
    for case in &cases {
        // What kubectl says in failing is kubectl's alone.
        let same = match (&case.kubectl, &case.kwasm) {
            (Outcome::Fails(_), Outcome::Fails(_)) => true,
            (kubectl, kwasm) => kubectl == kwasm,
        };
        assert_eq!(same, case.reason.is_none(), "{}", case.name);
    }
}
