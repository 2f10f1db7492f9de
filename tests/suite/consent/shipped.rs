//! The plugins of this project carry their requests, which are shown, granted and enforced.

use kwasm_apiserver::User;

use crate::support::{Kwasm, Run, component, kubeconfig, seed};

/// Runs the command that a refusal's hint names, by a shell.
pub(super) fn paste(kwasm: &Kwasm, stderr: &str) {
    let command = stderr.lines().find_map(|line| line.strip_prefix("hint: to allow it: kwasm "));
    let command = command.unwrap_or_else(|| panic!("{stderr}"));
    let kwasm_program = env!("CARGO_BIN_EXE_kwasm");
    Run::of(kwasm.program("sh").args(["-c", &format!("{kwasm_program} {command}")])).success();
}

/// Two of the shipped plugins, each with arguments, what it prints then, and the verb that it needs for that.
const SHIPPED: &[(&str, &[&str], &str, &str)] = &[
    ("decoder", &["secret", "web-tls", "-n", "shop"], "web.shop.example", "verbs: [get]"),
    ("timeline", &["-n", "shop"], "Created", "verbs: [list"),
];

#[test]
fn a_shipped_plugin_has_its_request_and_the_hint_of_a_refusal_gives_it_back() {
    let server = seed();
    server.create_event("shop", "Created", "an event").unwrap();
    for (name, arguments, printed, verb) in SHIPPED {
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        let file = component(name);
        let file = file.to_str().unwrap();
        let policy =
            std::fs::read_to_string(format!("{}/policies/{name}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let page = kwasm.call(["inspect", file, "-o", "json"]).success().stdout;
        let page: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(page["request"]["text"], policy, "{name}");
        kwasm.call(["install", file]).fails(2);
        kwasm.call(["install", file, "--policy", "request"]).success();
        let run = || Run::of(kwasm.program(kwasm.links().join(format!("kubectl-{name}"))).args(*arguments));
        let done = run().success();
        assert!(done.stdout.contains(printed), "{}", done.shown());
        let rules = super::effective(&kwasm, name).into_iter().filter(|rule| rule.contains(verb));
        for rule in rules {
            kwasm.call(["policy", "revoke", name, "--rule", &rule]).success();
            let refused = run();
            assert_ne!(refused.code, Some(0), "{name} does not need {rule}");
            assert!(!refused.stdout.contains(printed), "{}", refused.shown());
            paste(&kwasm, &refused.stderr);
            let done = run().success();
            assert!(done.stdout.contains(printed), "{}", done.shown());
        }
    }
}
