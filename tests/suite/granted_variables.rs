//! Tests of the environment variables that a policy grants.

use kwasm_apiserver::User;

use crate::support::{Kwasm, kubeconfig, seed};

/// Returns the variables that a guest finds, of those that begin with one of these.
fn variables(kwasm: &Kwasm, beginnings: &[&str]) -> Vec<String> {
    let run = kwasm.run("dumps", &[]).success();
    let lines = run.stdout.lines().filter_map(|line| line.strip_prefix("environment "));
    let mut found: Vec<String> = lines
        .filter(|line| beginnings.iter().any(|start| line.starts_with(start)))
        .map(str::to_owned)
        .collect();
    found.sort();
    found
}

#[test]
fn a_guest_gets_the_variables_that_are_named_or_begin_so() {
    let kwasm = Kwasm::new()
        .variable("EDITOR", "ed")
        .variable("VISUAL", "vi")
        .variable("MY_ONE", "1")
        .variable("MY_TWO", "")
        .variable("MYSELF", "me")
        .variable("MY_API_KEY", "hunter2")
        .variable("MY_DATABASE", "postgres://me:hunter2@db/x")
        .variable("AWS_REGION", "eu")
        .variable("AWS_SECRET_ACCESS_KEY", "hunter2")
        .spec("{environment: [EDITOR, \"MY_*\", AWS_REGION, NOT_SET]}");
    let found = variables(&kwasm, &["EDITOR", "VISUAL", "MY", "AWS", "NOT"]);
    assert_eq!(found, ["AWS_REGION=eu", "EDITOR=ed", "MY_ONE=1", "MY_TWO="]);
    let none = kwasm.spec("{}");
    assert!(variables(&none, &["EDITOR", "VISUAL", "MY", "AWS", "NOT", "HOME", "PATH"]).is_empty());
}

#[test]
fn a_credential_is_passed_by_its_full_name() {
    let kwasm = Kwasm::new()
        .variable("MY_API_KEY", "hunter2")
        .variable("HTTPS_PROXY", "http://me:hunter2@proxy")
        .spec("{environment: [MY_API_KEY, HTTPS_PROXY]}");
    let found = variables(&kwasm, &["MY_", "HTTPS_"]);
    assert_eq!(found, ["HTTPS_PROXY=http://me:hunter2@proxy", "MY_API_KEY=hunter2"]);
}

#[test]
fn what_kwasm_tells_a_guest_is_not_replaced_by_the_users_own() {
    let server = seed();
    let kwasm = Kwasm::new()
        .kubeconfig(kubeconfig(&server, User::Token))
        .variable("KWASM_CONTEXT", "forged")
        .variable("KWASM_NAMESPACE", "forged")
        .variable("KWASM_OTHER", "passed")
        .spec("{environment: [\"KWASM_*\"]}");
    let found = variables(&kwasm, &["KUBECONFIG", "KWASM_"]);
    let names: Vec<&str> = found.iter().map(|line| line.split('=').next().unwrap()).collect();
    assert!(names.contains(&"KWASM_CONTEXT") && names.contains(&"KWASM_OTHER"), "{found:?}");
    assert!(found.contains(&"KUBECONFIG=/kwasm/config".to_owned()), "{found:?}");
    assert!(!found.iter().any(|line| line.ends_with("forged")), "{found:?}");
    let mut once = names.clone();
    once.dedup();
    assert_eq!(once, names);
}
