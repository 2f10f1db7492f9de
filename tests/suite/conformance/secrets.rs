//! Tests that no part of a kubeconfig's secrets is printed anywhere, however malformed the kubeconfig is.

use super::case::{Case, Outcome};
use super::differences::FLAG;
use super::lab::Lab;
use super::{cases, holds};
use crate::support::{Kwasm, Run};

/// The one case whose user hands a secret to the plugin, as its own argument.
const GIVEN_AWAY: &str = "what follows two dashes";

/// Returns the pieces of secrets in the output.
fn found(lab: &Lab, run: &Run) -> Vec<String> {
    let shown = run.shown();
    lab.secrets().into_iter().filter(|piece| shown.contains(piece.as_str())).collect()
}

fn shows_none(lab: &Lab, run: &Run) -> Result<(), String> {
    if found(lab, run).is_empty() { Ok(()) } else { Err(run.shown()) }
}

fn all_others() -> Vec<Case> {
    cases::all().into_iter().filter(|case| case.name != GIVEN_AWAY).collect()
}

#[test]
fn neither_a_user_nor_a_guest_is_told_a_secret() {
    let kwasm = Kwasm::new();
    holds(&all_others(), |lab, case| {
        let folder = lab.folder(case);
        shows_none(lab, &lab.plugin(&kwasm, case, folder.path(), &["-vv"]))
    });
}

#[test]
fn a_secret_that_were_told_would_be_found() {
    let (lab, kwasm) = (Lab::new(), Kwasm::new());
    let case = cases::all().into_iter().find(|case| case.name == GIVEN_AWAY).unwrap();
    let folder = lab.folder(&case);
    let run = lab.plugin(&kwasm, &case, folder.path(), &["-vv"]);
    assert!(found(&lab, &run).len() >= 2, "{}", run.shown());
}

#[test]
fn a_report_of_the_machine_tells_no_secret() {
    let kwasm = Kwasm::new();
    holds(&all_others(), |lab, case| {
        let folder = lab.folder(case);
        let mut command = lab.kwasm_command(&kwasm, case, folder.path());
        shows_none(lab, &Run::of(command.args(["doctor", "-o", "json"])))
    });
}

#[test]
fn what_is_said_of_a_cluster_is_no_secret() {
    let kwasm = Kwasm::new();
    holds(&all_others(), |lab, case| {
        let folder = lab.folder(case);
        let mut told = false;
        for arguments in
            [&["cluster", "-o", "json"][..], &["cluster", "-o", "yaml"], &["-vv", "cluster", "--check"]]
        {
            let run = lab.verb(&kwasm, case, folder.path(), arguments);
            shows_none(lab, &run)?;
            told |= run.code == Some(0);
        }
        // A plugin's own argument does not concern kwasm.
        let fails = matches!(case.kwasm, Outcome::Fails(_)) || case.reason == Some(FLAG);
        if told || fails { Ok(()) } else { Err("nothing is told".to_owned()) }
    });
}
