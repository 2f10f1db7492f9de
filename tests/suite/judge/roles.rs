//! The running API server allows a service account with the roles that `kwasm policy role` prints what the judge allows a
//! plugin with the policy from which they are made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use kwasm::policy::{Attempt, Policy, RequestInfo, Rule};
use kwasm_cluster::User;
use serde_json::{Value, json};

use super::generator::Generator;
use super::reviews::{ask, list, review};
use super::rules::{self, text};
use super::{CURRENT, context, ours, rng};
use crate::support::{Kwasm, Real, real};

/// The number of pairs of a policy and a request.
const PAIRS: usize = 500;

/// The number of policies that they share.
const POLICIES: usize = 60;

/// The namespace of the service accounts.
const ACCOUNTS: &str = "judged-accounts";

/// The resources of a server with their API groups, by kubectl's own discovery, and its subresources by the server's.
struct Known(BTreeSet<(String, String)>);

impl Known {
    fn of(real: &Real) -> Self {
        let raw =
            |path: &str| -> Value { serde_json::from_str(&real.feed(&["get", "--raw", path], "")).unwrap() };
        let mut known = BTreeSet::new();
        let groups = raw("/apis");
        let groups = groups["groups"].as_array().unwrap().iter();
        let versions = groups.flat_map(|group| group["versions"].as_array().unwrap().clone());
        let versions = versions.map(|version| version["groupVersion"].as_str().unwrap().to_owned());
        let paths = versions
            .map(|version| (version.split('/').next().unwrap().to_owned(), format!("/apis/{version}")));
        for (group, path) in [(String::new(), "/api/v1".to_owned())].into_iter().chain(paths) {
            for resource in raw(&path)["resources"].as_array().unwrap() {
                known.insert((group.clone(), resource["name"].as_str().unwrap().to_owned()));
            }
        }
        Self(known)
    }

    fn has(&self, info: &RequestInfo) -> bool {
        let subresource = if info.subresource.is_empty() { "" } else { "/" };
        let resource = format!("{}{subresource}{}", info.resource, info.subresource);
        self.0.contains(&(info.api_group.clone(), resource))
    }
}

/// Returns the manifests that `kwasm policy role` prints for a policy in this file.
fn manifests(kwasm: &Kwasm, file: &Path, account: &str) -> String {
    let file = file.to_str().unwrap();
    kwasm.call(["policy", "role", file, "-n", CURRENT, "--service-account", account]).success().stdout
}

/// Returns the user name of the service account of a policy.
fn user(policy: usize) -> String {
    format!("system:serviceaccount:{ACCOUNTS}:judged-{policy}")
}

/// Waits until the authorizer knows the roles, of which this is one of the last.
fn wait_for_roles(real: &Real, kwasm: &Kwasm) {
    let spec = "[{apiGroups: [''], resources: [pods], verbs: [get], namespaces: [current]}, \
                {nonResourceURLs: ['*'], verbs: [get]}]";
    let head = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: last-of-judged}\n";
    let file = kwasm.home().join("last.yaml");
    fs::write(&file, format!("{head}spec: {{kubernetes: {{rules: {spec}}}}}\n")).unwrap();
    real.apply(&manifests(kwasm, &file, &format!("{ACCOUNTS}:judged-last")));
    let user = format!("system:serviceaccount:{ACCOUNTS}:judged-last");
    let reviews = ["/version", "/api/v1/namespaces/shop/pods/web"]
        .map(|path| review(&user, ours("GET", path).unwrap().info()));
    for _ in 0..100 {
        if ask(real, &reviews) == [true, true] {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the roles have no effect");
}

/// Returns whether a role means the same as the policy in the case of this request. Where it does not, the comment of
/// the manifests says so: `except` is written out with the resources that there are, and `*` with the verbs of requests.
fn is_comparable(rules: &[Rule], attempt: &Attempt, known: &Known) -> bool {
    let info = attempt.info();
    let has_except =
        rules.iter().any(|rule| matches!(rule, Rule::Resources(rule) if !rule.except.is_empty()));
    !info.is_resource_request || (!info.verb.is_empty() && (!has_except || known.has(info)))
}

#[test]
fn a_service_account_with_the_printed_roles_may_do_what_the_judge_allows() {
    let Some(real) = real("a_service_account_with_the_printed_roles_may_do_what_the_judge_allows") else {
        return;
    };
    let mut generator = Generator(rng());
    println!("seed {}", generator.0.get_seed());
    let namespaces = ["judged-a", "judged-b", ACCOUNTS]
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    real.apply(&list(&namespaces));

    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice));
    let policies: Vec<Vec<Rule>> = (0..POLICIES).map(|_| generator.rules()).collect();
    let mut all = String::new();
    for (number, rules) in policies.iter().enumerate() {
        let file = kwasm.home().join(format!("{number}.yaml"));
        // The roles are named after the policy.
        let text = text(rules).replace("name: generated", &format!("name: judged-{number}"));
        fs::write(&file, text).unwrap();
        all.push_str(&manifests(&kwasm, &file, &format!("{ACCOUNTS}:judged-{number}")));
    }
    real.apply(&all);
    wait_for_roles(real, &kwasm);

    let known = Known::of(real);
    let (mut pairs, mut skipped) = (Vec::new(), 0);
    while pairs.len() < PAIRS {
        let policy = pairs.len() % POLICIES;
        let (method, url) = generator.request(&policies[policy]);
        match ours(&method, &url) {
            Some(attempt) if is_comparable(&policies[policy], &attempt, &known) => {
                pairs.push((policy, attempt));
            }
            _ => skipped += 1,
        }
    }
    let reviews: Vec<Value> =
        pairs.iter().map(|(policy, attempt)| review(&user(*policy), attempt.info())).collect();
    let (mut allowed, mut with_except) = (0, 0);
    for ((policy, attempt), theirs) in pairs.iter().zip(ask(real, &reviews)) {
        let rules = &policies[*policy];
        let decided = rules::policy(rules);
        let ours = decided.decide(attempt);
        assert_eq!(ours.is_ok(), theirs, "{attempt}\n{}\n{all}", text(rules));
        if let Ok(rule) = ours {
            allowed += 1;
            with_except +=
                usize::from(matches!(rule, Some(Rule::Resources(rule)) if !rule.except.is_empty()));
        }
    }
    let roles = all.matches("\nkind: Role\n").count() + all.matches("\nkind: ClusterRole\n").count();
    println!(
        "{} pairs, {allowed} allowed ({with_except} by a rule with except), {skipped} not comparable, {roles} roles",
        pairs.len()
    );
    assert!(allowed * 100 >= pairs.len() * 40, "{allowed} allowed");
    assert!(allowed < pairs.len() && with_except > 0);
}

/// The role of the default policy, in which a wildcard is written out: it has what the server has, but what is excluded.
#[test]
fn the_role_of_read_only_covers_what_the_server_has_but_no_secrets() {
    let Some(real) = real("the_role_of_read_only_covers_what_the_server_has_but_no_secrets") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice));
    real.apply(&list(&[json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ACCOUNTS}})]));
    let account = format!("{ACCOUNTS}:reader");
    let text = kwasm.call(["policy", "role", "read-only", "--service-account", &account]).success().stdout;
    real.apply(&text);
    wait_for_roles(real, &kwasm);
    let policy = Policy::builtin("read-only").unwrap().unwrap();
    let user = format!("system:serviceaccount:{ACCOUNTS}:reader");
    let (mut reviews, mut expected) = (Vec::new(), Vec::new());
    for (group, resource) in &Known::of(real).0 {
        let (of, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        for verb in ["get", "update"] {
            let info = RequestInfo {
                is_resource_request: true,
                verb: verb.to_owned(),
                api_group: group.clone(),
                resource: of.to_owned(),
                subresource: subresource.to_owned(),
                name: "x".to_owned(),
                ..RequestInfo::default()
            };
            expected.push(policy.rules().iter().any(|rule| rule.covers(&info, &context())));
            reviews.push(review(&user, &info));
        }
    }
    assert!(
        expected.len() > 200 && expected.iter().filter(|allowed| **allowed).count() > 80,
        "{}",
        expected.len()
    );
    assert_eq!(ask(real, &reviews), expected);
}
