//! `kwasm policy explain` takes a request for what the API server takes it for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cases::{Case, REFUSED, RESOLVED, Theirs};
use super::{ask, oracle};
use crate::support::Kwasm;

/// The fewest cases that there are to be.
const CASES: usize = 150;

/// Returns the output of the command.
fn explained(kwasm: &Kwasm, case: &Case) -> Value {
    let run = kwasm.call(["policy", "explain", case.method, case.url, "-o", "json"]).success();
    serde_json::from_str(&run.stdout).unwrap()
}

fn question(case: &Case) -> Value {
    json!({"method": case.method, "url": case.url})
}

#[test]
fn a_request_is_explained_as_the_api_server_resolves_it() {
    let Some(oracle) = oracle("a_request_is_explained_as_the_api_server_resolves_it") else { return };
    let kwasm = Kwasm::new();
    let cases: Vec<(&str, &Case)> =
        RESOLVED.iter().flat_map(|(kind, cases)| cases.iter().map(|case| (*kind, case))).collect();
    let questions: Vec<Value> = cases.iter().map(|(_, case)| question(case)).collect();
    for ((kind, case), mut theirs) in cases.iter().zip(ask(oracle, &questions)) {
        let name = format!("{kind}: {}: {} {}", case.name, case.method, case.url);
        theirs.as_object_mut().unwrap().remove("allowed");
        assert_eq!(theirs.get("error"), None, "{name}");
        // Without a policy there is nothing but the attributes.
        assert_eq!(explained(&kwasm, case), theirs, "{name}");
    }
    for (kind, cases) in RESOLVED {
        println!("{:>4} {kind}", cases.len());
    }
    println!("{:>4} refused", REFUSED.len());
    let names: BTreeSet<(&str, &str)> = cases.iter().map(|(_, case)| (case.method, case.url)).collect();
    assert_eq!(names.len(), cases.len(), "a case appears twice");
    assert!(cases.len() + REFUSED.len() >= CASES);
}

#[test]
fn a_request_that_could_be_two_is_explained_as_refused_with_the_reason() {
    let test = "a_request_that_could_be_two_is_explained_as_refused_with_the_reason";
    let Some(oracle) = oracle(test) else { return };
    let kwasm = Kwasm::new();
    let questions: Vec<Value> = REFUSED.iter().map(|refused| question(&refused.case)).collect();
    for (refused, theirs) in REFUSED.iter().zip(ask(oracle, &questions)) {
        let Case { name, .. } = refused.case;
        let expected = json!({"decision": "refused", "reason": refused.reason});
        assert_eq!(explained(&kwasm, &refused.case), expected, "{name}");
        match refused.theirs {
            Theirs::Rejects => assert!(theirs["error"].is_string(), "{name}: {theirs}"),
            Theirs::Takes(why) => assert!(theirs["error"].is_null(), "{name} ({why}): {theirs}"),
        }
    }
}
