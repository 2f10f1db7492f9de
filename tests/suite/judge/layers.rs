//! A plugin's request, the user's grant and the ceiling together allow what RBAC's own code allows for each of them, and
//! an intersection with a bug is found out by the same comparison.

use std::fs;

use kwasm::policy::{Layers, Policy, Rule, Words};
use serde_json::Value;

use super::decisions::{allowed, explained_by};
use super::generator::{Case, Generator};
use super::{CURRENT, oracle, ours, rng, rules};
use crate::support::{Kwasm, Run, skip};

/// A request to be judged by three policies, of which the grant alone is always there.
#[derive(Debug)]
struct Layered {
    request: Option<Vec<Rule>>,
    grant: Vec<Rule>,
    ceiling: Option<Vec<Rule>>,
    method: String,
    url: String,
}

impl Layered {
    /// Returns a case whose policies are related, as those of people are: else they would have nothing in common.
    fn of(generator: &mut Generator) -> Self {
        let shared = generator.rules();
        let related = |generator: &mut Generator| match generator.0.u8(..12) {
            0..8 => [shared.clone(), generator.rules()].concat(),
            8 => generator.rules(),
            9 | 10 => shared.clone(),
            _ => vec![everything()],
        };
        let grant = related(generator);
        let request = (generator.0.u8(..4) > 0).then(|| related(generator));
        let ceiling = (generator.0.u8(..4) > 0).then(|| related(generator));
        let of = match generator.0.u8(..4) {
            0 => &grant,
            _ => &shared,
        };
        let (method, url) = generator.request(of);
        Self { request, grant, ceiling, method, url }
    }

    /// Returns the policies that there are.
    fn policies(&self) -> impl Iterator<Item = &Vec<Rule>> {
        self.request.iter().chain([&self.grant]).chain(&self.ceiling)
    }

    /// Returns the case that each of its policies alone is.
    fn alone(&self) -> impl Iterator<Item = Case> {
        let (method, url) = (&self.method, &self.url);
        self.policies().map(|rules| Case { rules: rules.clone(), method: method.clone(), url: url.clone() })
    }

    /// Returns whether they allow the request, or `None` if it is ambiguous.
    fn judged(&self) -> Option<bool> {
        // Not read from a file: that the reader gives these rules is shown by the test of one policy.
        let policy = |rules: &Vec<Rule>| {
            let mut policy = Policy::named("generated");
            for rule in rules {
                policy.add(rule.clone(), Words::default());
            }
            policy
        };
        let layers = Layers {
            request: self.request.as_ref().map(policy),
            grant: policy(&self.grant),
            ceiling: self.ceiling.as_ref().map(policy),
            installed: None,
        };
        Some(layers.whole().decide(&ours(&self.method, &self.url)?).is_ok())
    }
}

fn everything() -> Rule {
    Rule::read("everything", "{apiGroups: ['*'], resources: ['*'], verbs: ['*']}").unwrap()
}

/// Returns whether RBAC allows each case: whether it does by each of its policies.
fn theirs(test: &str, cases: &[Layered]) -> Option<Vec<bool>> {
    let alone: Vec<Case> = cases.iter().flat_map(Layered::alone).collect();
    let mut answers = allowed(oracle(test)?, &alone).into_iter();
    let of = |case: &Layered| {
        // All of a case's answers have to be taken, so no shortcut.
        let answers: Vec<bool> = answers.by_ref().take(case.policies().count()).collect();
        answers.into_iter().all(|allowed| allowed)
    };
    Some(cases.iter().map(of).collect())
}

#[test]
fn twenty_thousand_requests_are_allowed_exactly_where_each_policy_allows_them() {
    let test = "twenty_thousand_requests_are_allowed_exactly_where_each_policy_allows_them";
    let mut generator = Generator(rng());
    println!("seed {}", generator.0.get_seed());
    let (mut counts, mut by_layers) = ([0_usize; 3], [0_usize; 4]);
    for _ in 0..10 {
        let cases: Vec<Layered> = (0..2_000).map(|_| Layered::of(&mut generator)).collect();
        let Some(theirs) = theirs(test, &cases) else { return };
        for (case, theirs) in cases.iter().zip(theirs) {
            let Some(ours) = case.judged() else {
                counts[2] += 1;
                continue;
            };
            assert_eq!(ours, theirs, "{case:#?}");
            counts[usize::from(!ours)] += 1;
            if ours {
                let layers = usize::from(case.request.is_some()) + 2 * usize::from(case.ceiling.is_some());
                by_layers[layers] += 1;
            }
        }
    }
    let [allowed, refused, unclear] = counts;
    let total = allowed + refused + unclear;
    println!("{total} cases: {allowed} allowed, {refused} refused, {unclear} ambiguous; 0 mismatches");
    println!("allowed by the grant alone, with a request, with a ceiling, with both: {by_layers:?}");
    assert!(allowed * 100 >= total * 40, "{allowed} of {total} allowed");
    assert!(refused * 100 >= total * 20, "{refused} of {total} refused");
    assert!(by_layers.iter().all(|number| *number > 0), "{by_layers:?}");
}

/// Bugs of the intersection: each forgets one of the three.
#[cfg(unix)]
const BUGS: [&str; 3] = ["requested-rules", "granted-rules", "ceiling-rules"];

#[cfg(unix)]
#[test]
fn every_bug_that_is_seeded_into_the_intersection_is_found_by_the_same_comparison() {
    use std::os::unix::fs::MetadataExt;
    let test = "every_bug_that_is_seeded_into_the_intersection_is_found_by_the_same_comparison";
    if fs::metadata(Kwasm::new().home()).unwrap().uid() != 0 {
        skip(test, "only root makes a ceiling that belongs to root");
        return;
    }
    let mut generator = Generator(rng());
    println!("seed {}", generator.0.get_seed());
    let cases: Vec<Layered> = (0..300).map(|_| Layered::of(&mut generator)).collect();
    let Some(theirs) = theirs(test, &cases) else { return };
    let first_mismatch = |bug: &str| {
        let mut pairs = cases.iter().zip(&theirs);
        pairs.position(|(case, allowed)| explained(bug, case).is_some_and(|ours| ours != *allowed))
    };
    assert_eq!(
        first_mismatch("nothing").map(|at| &cases[at].url),
        None,
        "an intersection without a bug errs"
    );
    for bug in BUGS {
        let at = first_mismatch(bug).unwrap_or_else(|| panic!("without {bug} it passes for a good one"));
        println!("without {bug:<15} it errs at case {at}: {} {}", cases[at].method, cases[at].url);
    }
}

/// Returns the program's decision on a case, in a build without one defence, or `None` if the request is ambiguous.
#[cfg(unix)]
fn explained(bug: &str, case: &Layered) -> Option<bool> {
    let kwasm = Kwasm::new();
    let home = kwasm.home().to_owned();
    let file = |name: &str, rules: &Vec<Rule>| {
        let path = home.join(name);
        fs::write(&path, rules::text(rules)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut without = bug.to_owned();
    if let Some(ceiling) = &case.ceiling {
        let path = file("ceiling.yaml", ceiling);
        without = format!("{bug},ceiling={path}");
    }
    let grant = file("grant.yaml", &case.grant);
    let mut arguments = vec!["--policy".to_owned(), grant];
    if let Some(request) = &case.request {
        arguments.extend(["--request".to_owned(), file("request.yaml", request)]);
    }
    let kwasm = kwasm.without(&without);
    let mut command =
        kwasm.command(["policy", "explain", &case.method, &case.url, "-n", CURRENT, "-o", "json"]);
    let run = Run::of(command.args(arguments)).success();
    explained_by(&serde_json::from_str::<Value>(&run.stdout).unwrap())
}
