//! Grants are shown and changed by commands, and a refusal names the one that repairs it.

use kwasm_apiserver::User;

use super::{PODS, PODS_LINE, SECRETS, SECRETS_LINE, asking, effective, request, shown};
use crate::support::{Kwasm, kubeconfig, seed};

#[test]
fn a_rule_is_granted_and_revoked() {
    let kwasm = Kwasm::new();
    asking(&kwasm, &request(&format!("{PODS}, {SECRETS}")));
    kwasm.call(["install", "./asks.wasm", "--policy", "none"]).success();
    assert_eq!(effective(&kwasm, "asks"), [""; 0]);
    let run = kwasm.call(["policy", "grant", "asks", "--rule", PODS_LINE, "--rule", SECRETS_LINE]).success();
    assert_eq!(run.stderr, format!("granted asks {PODS_LINE}\ngranted asks {SECRETS_LINE}\n"));
    assert_eq!(effective(&kwasm, "asks"), [PODS_LINE, SECRETS_LINE]);
    assert_eq!(shown(&kwasm, "asks")["grant"], "custom");
    let run = kwasm.call(["policy", "grant", "asks", "--rule", PODS_LINE]).success();
    assert!(run.stderr.contains("is granted"), "{}", run.shown());
    kwasm.call(["policy", "revoke", "asks", "--rule", SECRETS_LINE]).success();
    assert_eq!(effective(&kwasm, "asks"), [PODS_LINE]);
    let run = kwasm.call(["policy", "revoke", "asks", "--rule", SECRETS_LINE]).fails(2);
    insta::assert_snapshot!(run.stderr, @r#"
    kwasm: asks: its grant has no rule {apiGroups: [""], resources: [secrets], verbs: [get], namespaces: [current]}
    hint: it has these: {apiGroups: [""], resources: [pods], verbs: [list], namespaces: [current]}
    "#);
    kwasm.call(["policy", "revoke", "asks", "--all"]).success();
    assert_eq!(effective(&kwasm, "asks"), [""; 0]);
    kwasm.call(["policy", "grant", "asks", "request"]).success();
    assert_eq!(effective(&kwasm, "asks"), [PODS_LINE, SECRETS_LINE]);
}

#[test]
fn a_rule_that_is_none_changes_nothing() {
    let kwasm = Kwasm::new();
    asking(&kwasm, &request(PODS));
    kwasm.call(["install", "./asks.wasm", "--policy", "request"]).success();
    for rule in ["", "{", "{apiGroups: [''], resources: [pods], verb: [list]}", "[]", "{verbs: [get]}"] {
        let run = kwasm.call(["policy", "grant", "asks", "--rule", rule]).fails(2);
        assert!(run.stderr.contains("the rule "), "{}", run.shown());
    }
    assert_eq!(shown(&kwasm, "asks")["grant"], "asked");
    kwasm.call(["policy", "grant", "nobody", "--rule", PODS_LINE]).fails(127);
    kwasm.call(["policy", "revoke", "asks"]).fails(2);
}

#[test]
fn a_grant_beyond_the_request_is_of_no_use_and_that_is_said() {
    let kwasm = Kwasm::new();
    asking(&kwasm, &request(PODS));
    kwasm.call(["install", "./asks.wasm", "--policy", "request"]).success();
    let run = kwasm.call(["policy", "grant", "asks", "--rule", SECRETS_LINE]).success();
    assert!(
        run.stderr.starts_with("warning: its request `asked` does not include all of "),
        "{}",
        run.shown()
    );
    assert_eq!(effective(&kwasm, "asks"), [PODS_LINE]);
}

#[test]
fn what_is_shown_says_from_which_policy_it_comes_and_what_is_withheld() {
    let kwasm = Kwasm::new();
    asking(&kwasm, &request(&format!("{PODS}, {SECRETS}")));
    kwasm.call(["install", "./asks.wasm", "--policy", "read-only"]).success();
    let run = kwasm.call(["policy", "show", "asks"]).success();
    insta::assert_snapshot!(run.stdout, @r#"
    asks is granted `read-only`, and requests `asked`
    FROM     IT MAY
    request  {apiGroups: [""], resources: [pods], verbs: [list], namespaces: [current]}

    NOT IN  IT REQUESTS, AND MAY NOT (ALL OF)
    grant   {apiGroups: [""], resources: [secrets], verbs: [get], namespaces: [current]}
    "#);
    kwasm.call(["policy", "show", "nobody"]).fails(127);
}

#[test]
fn a_refusal_names_the_command_that_grants_and_it_works_when_pasted() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    asking(&kwasm, &request("{nonResourceURLs: [/version, /healthz], verbs: [get]}"));
    kwasm.call(["install", "./asks.wasm", "--policy", "none"]).success();
    let link = kwasm.links().join("kubectl-asks");
    let run =
        |path: &str| crate::support::Run::of(kwasm.program(&link).arg(format!("http://192.0.2.1{path}")));
    for path in ["/version", "/healthz"] {
        let refused = run(path);
        assert!(refused.stdout.starts_with("status 403"), "{}", refused.shown());
        super::shipped::paste(&kwasm, &refused.stderr);
        let allowed = run(path);
        assert!(allowed.stdout.starts_with("status 200"), "{}", allowed.shown());
    }
    // Under another policy for one run, that command would not help.
    let run = kwasm.call(["run", "asks", "--policy", "none", "--", "http://192.0.2.1/version"]);
    assert!(run.stderr.contains("hint: --policy FILE with this rule"), "{}", run.shown());
}
