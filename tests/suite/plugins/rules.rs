//! Each plugin of this project runs under the request that it carries, and needs each rule of it: on a cluster that is as
//! full as one that people use.

use std::time::Duration;

use kwasm_cluster::User;

use crate::consent::effective;
use crate::support::{Kwasm, Run, Running, component, filled};

/// A command of a plugin, and what it prints only if it was allowed all that it asked for.
struct Case {
    arguments: &'static [&'static str],
    printed: &'static str,
    /// Whether it goes on until the user ends it.
    lasts: bool,
}

const fn case(arguments: &'static [&'static str], printed: &'static str) -> Case {
    Case { arguments, printed, lasts: false }
}

/// What all pods have in their logs.
const WRITTEN: &str = "written for tail";

/// The plugins, each with commands that together do all that it requests.
const PLUGINS: &[(&str, &[Case])] = &[
    (
        "access-matrix",
        &[
            case(&["-n", "filled-03"], "configmaps"),
            case(&["resource", "configmaps", "-n", "filled-03"], "runner"),
        ],
    ),
    (
        "decoder",
        &[
            case(&["secret", "login", "-n", "filled-03"], "correct horse"),
            Case {
                arguments: &["secret", "login", "-n", "filled-03", "--watch"],
                printed: "correct horse",
                lasts: true,
            },
            case(&["__complete", "-n", "filled-03", "secret", "log"], "login"),
        ],
    ),
    ("get-all", &[case(&["-n", "filled-03"], "secret/login")]),
    (
        "images",
        &[
            case(&["-n", "filled-03"], "registry.example/web:1.3"),
            case(&["-n", "filled-03", "--columns", "3,5"], "registry.example/web:1.3"),
        ],
    ),
    ("kubewarden", &[case(&["events"], "No events found")]),
    ("neat", &[case(&["get", "configmap/settings", "secret/login", "-n", "filled-03"], "password")]),
    ("outdated-api", &[case(&["-A", "-o", "json"], "\"complete\": true")]),
    (
        "policy-check",
        &[case(
            &["-A", "--rules-from", "filled-03/rules", "--fail-on", "never", "-o", "json"],
            "\"complete\": true",
        )],
    ),
    (
        "resource-capacity",
        &[
            case(&[], "worker-00"),
            case(&["--namespace-labels", "team=team-3"], "worker-00"),
            // Nobody serves it here, which the plugin finds out only where it may ask.
            case(&["--util"], "does not serve metrics.k8s.io"),
        ],
    ),
    (
        "tail",
        &[
            case(&["alone", "-n", "filled-03", "--no-follow", "--since", "100000h"], WRITTEN),
            case(&["deployment/web", "-n", "filled-03", "--no-follow", "--since", "100000h"], WRITTEN),
        ],
    ),
    ("timeline", &[case(&["-n", "filled-03"], "pod/alone")]),
    ("tree", &[case(&["deployment", "web", "-n", "filled-03"], "ReplicaSet/web-")]),
    (
        "view-secret",
        &[
            case(&["login", "password", "-n", "filled-03"], "correct horse"),
            case(&["-n", "filled-03"], "login"),
        ],
    ),
    ("who-can", &[case(&["get", "secrets", "-n", "filled-03"], "runner")]),
    ("whoami", &[case(&[], "admin")]),
];

/// Returns whether the command did all of its work.
fn works(kwasm: &Kwasm, name: &str, case: &Case) -> Result<(), String> {
    let mut command = kwasm.program(kwasm.links().join(format!("kubectl-{}", name.replace('-', "_"))));
    command.args(case.arguments);
    if case.lasts {
        let mut running = Running::of(command);
        while let Some(line) = running.line_within(Duration::from_secs(20)) {
            if line.contains(case.printed) {
                std::thread::sleep(Duration::from_secs(1));
                return if running.has_ended() { Err(running.end().shown()) } else { Ok(()) };
            }
        }
        return Err(running.end().shown());
    }
    let run = Run::of(&mut command);
    // What is found and may be a reason to fail is printed to its end; what is refused is told on standard error.
    let said = run.stdout.contains(case.printed) || run.stderr.contains(case.printed);
    let whole = said && !run.stderr.contains("refused");
    if whole { Ok(()) } else { Err(run.shown()) }
}

#[test]
fn each_plugin_runs_under_its_request_and_needs_each_rule_of_it() {
    let Some(filled) = filled("each_plugin_runs_under_its_request_and_needs_each_rule_of_it") else { return };
    filled.say(WRITTEN);
    let rules = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "filled-03", "name": "rules"},
        "data": {"rules.yaml": "image-registry: {allowed: ['elsewhere.example/*']}\n"}}"#;
    filled.apply(rules);
    let mut wrong = Vec::new();
    for (name, cases) in PLUGINS {
        let kwasm = Kwasm::new().kubeconfig(filled.kubeconfig(User::Admin));
        let file = component(name);
        kwasm.call(["install", file.to_str().unwrap(), "--policy", "request"]).success();
        let all = || cases.iter().try_for_each(|case| works(&kwasm, name, case));
        all().unwrap_or_else(|shown| panic!("{name}: {shown}"));
        for rule in effective(&kwasm, name) {
            if !rule.contains("verbs:") {
                // Limits and flags are no rules.
                continue;
            }
            kwasm.call(["policy", "revoke", name, "--rule", &rule]).success();
            if all().is_ok() {
                wrong.push(format!("{name} does not need {rule}"));
            }
            kwasm.call(["policy", "grant", name, "--rule", &rule]).success();
        }
        all().unwrap_or_else(|shown| panic!("{name}: {shown}"));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The largest component of a plugin, in bytes.
const LARGEST: u64 = 2 << 20;

#[test]
fn each_plugin_is_small_and_has_help_for_eighty_columns() {
    for (name, _) in PLUGINS {
        let size = component(name).metadata().unwrap().len();
        assert!(size <= LARGEST, "{name}: {size}");
        let help = Kwasm::new().policy("none").run(name, &["--help"]).success().stdout;
        assert!(help.contains("Usage: kubectl "), "{name}: {help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{name}: {help}");
        let wrong = Kwasm::new().policy("none").run(name, &["--no-such-flag"]).fails(2);
        assert!(wrong.stderr.contains("--no-such-flag: no such flag"), "{name}: {}", wrong.stderr);
    }
}
