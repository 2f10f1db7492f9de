//! The judge allows what RBAC's own code allows, and a judge with a bug is found out by the same comparison.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;

use serde_json::{Value, json};

use super::generator::{Case, Generator};
use super::rules::{self, FEATURES, OBSTACLES, Rbac, VERBS};
use super::{CURRENT, ask, context, oracle, ours, rng};
use crate::support::Kwasm;

/// A judge's verdict on a case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Allowed,
    Denied,
    /// The request is ambiguous.
    Unclear,
}

impl Verdict {
    /// Returns whether the verdicts agree. A request that is refused before it is judged has no counterpart,
    /// and is counted instead.
    fn agrees(self, allowed: bool) -> bool {
        match self {
            Self::Allowed => allowed,
            Self::Denied => !allowed,
            Self::Unclear => true,
        }
    }
}

/// Returns whether RBAC's own code allows each of the cases.
pub(super) fn allowed(oracle: Command, cases: &[Case]) -> Vec<bool> {
    let asked: Vec<Rbac> = cases.iter().map(|case| Rbac::of(&case.rules)).collect();
    let mut questions = Vec::new();
    for (Case { method, url, .. }, rbac) in cases.iter().zip(&asked) {
        for (namespace, rules) in rbac.subjects().into_iter().flatten() {
            questions.push(json!({"method": method, "url": url, "rules": rules, "roleNamespace": namespace}));
        }
    }
    let mut answers = ask(oracle, &questions).into_iter();
    let mut may = |subject: &rules::Subject| {
        // All of a subject's answers have to be taken, so no shortcut.
        let answers: Vec<Value> = answers.by_ref().take(subject.len()).collect();
        answers.iter().any(|answer| answer["allowed"] == true)
    };
    asked
        .iter()
        .map(|rbac| {
            let subjects: Vec<bool> = rbac.subjects().into_iter().map(&mut may).collect();
            rbac.allowed(&subjects)
        })
        .collect()
}

/// The numbers of allowed, denied and ambiguous cases.
#[derive(Default)]
struct Tally(BTreeMap<String, [usize; 3]>);

impl Tally {
    fn add(&mut self, what: &str, verdict: Verdict) {
        let place = match verdict {
            Verdict::Allowed => 0,
            Verdict::Denied => 1,
            Verdict::Unclear => 2,
        };
        self.0.entry(what.to_owned()).or_default()[place] += 1;
    }

    fn of(&self, what: &str) -> [usize; 3] {
        self.0.get(what).copied().unwrap_or_default()
    }

    fn table(&self, title: &str) -> String {
        let row = |what: &str, [allowed, denied, unclear]: [&dyn fmt::Display; 3]| {
            format!("{what:<34} {allowed:>8} {denied:>8} {unclear:>8}\n")
        };
        let rows = self
            .0
            .iter()
            .map(|(what, [allowed, denied, unclear])| row(&format!("  {what}"), [allowed, denied, unclear]));
        row(title, [&"allowed", &"denied", &"unclear"]) + &rows.collect::<String>()
    }
}

/// The kinds of the cases.
#[derive(Default)]
struct Count {
    decisions: Tally,
    verbs: Tally,
    features: Tally,
    obstacles: Tally,
}

impl Count {
    /// Judges a case, and counts it.
    fn judge(&mut self, case: &Case) -> Verdict {
        let policy = rules::policy(&case.rules);
        let Some(attempt) = ours(&case.method, &case.url) else {
            self.decisions.add("pairs", Verdict::Unclear);
            self.verbs.add(&format!("method {}", case.method), Verdict::Unclear);
            return Verdict::Unclear;
        };
        let (verdict, concerned) = match policy.decide(&attempt) {
            Ok(rule) => (Verdict::Allowed, rule.into_iter().cloned().collect()),
            Err(_) => (Verdict::Denied, case.rules.clone()),
        };
        let info = attempt.info();
        self.decisions.add("pairs", verdict);
        let kind = if info.is_resource_request { "" } else { " of a URL" };
        let verb = if info.verb.is_empty() { "(none)" } else { &info.verb };
        self.verbs.add(&format!("{verb}{kind}"), verdict);
        let mut features: Vec<&str> = concerned.iter().flat_map(rules::features).collect();
        features.sort_unstable();
        features.dedup();
        for feature in features {
            self.features.add(feature, verdict);
        }
        if verdict == Verdict::Denied {
            let found = concerned.iter().flat_map(|rule| rules::obstacles(rule, info, &context()));
            found.for_each(|obstacle| self.obstacles.add(obstacle, verdict));
        }
        verdict
    }

    fn tables(&self) -> String {
        let obstacles = "by what alone stood in the way";
        self.decisions.table("decisions")
            + &self.verbs.table("by verb")
            + &self.features.table("by feature of a rule")
            + &self.obstacles.table(obstacles)
    }

    /// Checks that both verdicts occurred for every kind.
    fn assert_complete(&self) {
        let [allowed, denied, unclear] = self.decisions.of("pairs");
        let pairs = allowed + denied + unclear;
        assert!(allowed * 100 >= pairs * 40, "{allowed} of {pairs} allowed");
        assert!(unclear * 100 < pairs * 10, "{unclear} of {pairs} unclear");
        for what in FEATURES {
            let [allowed, denied, _] = self.features.of(what);
            assert!(allowed > 0 && denied > 0, "{what}: {allowed} allowed, {denied} denied");
        }
        for what in OBSTACLES {
            assert!(self.obstacles.of(what)[1] > 0, "never did {what} alone stand in the way");
        }
        for verb in VERBS {
            let [allowed, denied, _] = self.verbs.of(verb);
            assert!(allowed > 0 && denied > 0, "{verb}: {allowed} allowed, {denied} denied");
        }
    }
}

#[test]
fn a_hundred_thousand_requests_are_allowed_exactly_where_rbac_allows_them() {
    let test = "a_hundred_thousand_requests_are_allowed_exactly_where_rbac_allows_them";
    if oracle(test).is_none() {
        return;
    }
    let mut generator = Generator(rng());
    println!("seed {}", generator.0.get_seed());
    let mut count = Count::default();
    for _ in 0..20 {
        let cases: Vec<Case> = (0..5_000).map(|_| generator.case()).collect();
        let Some(oracle) = oracle(test) else { return };
        for (case, allowed) in cases.iter().zip(allowed(oracle, &cases)) {
            let verdict = count.judge(case);
            assert!(verdict.agrees(allowed), "the judge: {verdict:?}, RBAC: {allowed}\n{case:#?}");
        }
    }
    println!("{}", count.tables());
    count.assert_complete();
}

/// Bugs, by the defence of `src/defence.rs` without which the judge has them.
const BUGS: &[&str] = &[
    "collections",
    "decoding",
    "except",
    "groups",
    "list-options",
    "names",
    "namespaces",
    "subresources",
    "urls",
    "verbs",
];

/// Returns the program's verdict on a case.
fn explained(kwasm: &Kwasm, case: &Case) -> Verdict {
    let file = kwasm.home().join("generated.yaml");
    std::fs::write(&file, rules::text(&case.rules)).unwrap();
    let arguments = ["policy", "explain", &case.method, &case.url, "-n", CURRENT, "-o", "json", "--policy"];
    let mut command = kwasm.command(arguments);
    let run = crate::support::Run::of(command.arg(file)).success();
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    match explained_by(&told) {
        Some(true) => Verdict::Allowed,
        Some(false) => Verdict::Denied,
        None => Verdict::Unclear,
    }
}

/// Returns the decision that `kwasm policy explain` printed, or `None` if the request is ambiguous.
pub(super) fn explained_by(told: &Value) -> Option<bool> {
    match told["decision"].as_str() {
        Some("allowed") => Some(true),
        Some("refused") => (!told["verb"].is_null()).then_some(false),
        _ => panic!("{told}"),
    }
}

#[test]
fn every_bug_that_is_seeded_into_the_judge_is_found_by_comparing_it_with_rbac() {
    let test = "every_bug_that_is_seeded_into_the_judge_is_found_by_comparing_it_with_rbac";
    let Some(oracle) = oracle(test) else { return };
    let mut generator = Generator(rng());
    println!("seed {}", generator.0.get_seed());
    let cases: Vec<Case> = (0..500).map(|_| generator.case()).collect();
    let allowed = allowed(oracle, &cases);
    let first_mismatch = |kwasm: &Kwasm| {
        let mut pairs = cases.iter().zip(&allowed);
        pairs.position(|(case, allowed)| !explained(kwasm, case).agrees(*allowed))
    };
    for kwasm in [Kwasm::new(), Kwasm::new().faulty()] {
        let found = first_mismatch(&kwasm).map(|at| &cases[at]);
        assert!(found.is_none(), "a judge without a bug errs: {found:#?}");
    }
    for bug in BUGS {
        let found = first_mismatch(&Kwasm::new().without(bug));
        let at = found.unwrap_or_else(|| panic!("without {bug} the judge passes for a good one"));
        println!("without {bug:<12} the judge errs at case {at}: {} {}", cases[at].method, cases[at].url);
    }
}
